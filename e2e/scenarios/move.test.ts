import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { CLUSTERS, isReady, LIBRARIES } from '../../sandbox/run/wait.ts';
import type { DomainLibrary } from '../../src/api/index.ts';
import { findCondition, PODS } from '../../src/kube/index.ts';
import type { ClusterClient, PointId } from '../../src/qdrant/index.ts';
import { eventually } from '../stage/eventually.ts';
import { watchOnePlace } from '../stage/one-place.ts';
import { QUICK_LEASE } from '../stage/operator-settings.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';
import { atEachStep } from '../stage/steps.ts';

const scenario = await scenarios({ needs: ['pod-faults'], operator: QUICK_LEASE });

const KEY = 'key-of-the-cloud';
const STEPS = ['Probed', 'Building', 'Copying', 'Converging', 'Fenced', 'Verified', 'Switched'];
/** The steps after it may last less than between two looks. */
const isCopied = ({ status }: DomainLibrary): boolean =>
  status?.change === undefined || STEPS.indexOf(status.change.step) > STEPS.indexOf('Copying');

async function onDesk(stage: Stage, others: readonly string[] = ['shelf']): Promise<void> {
  for (const name of ['desk', ...others]) await stage.createCluster(name, { size: 1 });
  for (const name of ['desk', ...others]) await stage.clusterReady(name, 1);
  await stage.createLibrary('docs', 'desk', {
    shards: { number: 2 },
    payloadIndexes: [{ field: 'revision', type: 'integer' }],
    aliases: ['handbook'],
  });
  await stage.libraryReady('docs');
}

const cloudFrom = (stage: Stage) => {
  const server = stage.ground.outsideQdrant();
  return {
    server,
    adopt: async () => {
      await stage.putSecret('cloud-key', { 'api-key': KEY });
      await stage.createCluster('cloud', { external: { url: server.url, apiKeySecretRef: { name: 'cloud-key' } } });
      await stage.clusterReady('cloud');
    },
  };
};

const moveTo = (stage: Stage, name: string) =>
  stage.changeLibrary('docs', { spec: { placement: { clusterRef: { name } } } });

const movedTo = (stage: Stage, name: string) =>
  stage.untilLibrary(
    'docs',
    (library) => isReady(library) && library.status?.cluster === name && library.status.change === undefined,
    `Ready on ${name}`,
  );

async function watched(stage: Stage, names: readonly string[]): Promise<() => Promise<void>> {
  const clients = new Map<string, ClusterClient>();
  for (const name of names) clients.set(name, await stage.qdrant(name));
  const stop = watchOnePlace('docs', clients);
  let ended = false;
  stage.defer(async () => {
    if (!ended) await stop();
  });
  return async () => {
    ended = true;
    assert.deepEqual(await stop(), []);
  };
}

async function contents(client: ClusterClient, collection: string): Promise<Map<unknown, unknown>> {
  const all = new Map<unknown, unknown>();
  for await (const { id, vector, payload } of client.scrollAll(collection, { withVectors: true, withPayload: true }))
    all.set(id, { vector, payload });
  return all;
}

async function killWorker({ ground, admin, namespace }: Stage): Promise<void> {
  const pods = await admin.listAll(PODS, { namespace, labelSelector: 'batch.kubernetes.io/job-name' });
  for (const { metadata, status } of pods) {
    if (status?.phase === 'Running') await ground.kill({ namespace, name: metadata.name });
  }
}

scenario(
  'a library moves to another cluster under load, although operator and worker are killed at every step',
  async (stage, context) => {
    await onDesk(stage);
    const onePlace = await watched(stage, ['desk', 'shelf']);
    const load = await stage.followingLoad('docs');
    await eventually('there is something to copy', () => load.report.written > 100);
    const leader = await stage.operator.leader();
    const steps = atEachStep(
      {
        client: stage.admin,
        type: LIBRARIES,
        namespace: stage.namespace,
        name: 'docs',
        stepOf: ({ status }) => status?.change?.step,
      },
      async (step) => {
        await stage.ground.kill({ namespace: stage.ground.operator.namespace, name: leader });
        if (step === 'Copying' || step === 'Converging' || step === 'Switched') await killWorker(stage);
      },
    );
    stage.defer(steps);
    await moveTo(stage, 'shelf');
    // Each operator needs its lease, and its worker the one before's: longer than one wait is patient.
    await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Switched', 'switched');
    const library = await movedTo(stage, 'shelf');
    const killedAt = await steps();
    context.diagnostic(`operator killed at ${killedAt.join(', ')}`);
    assert.deepEqual(killedAt, STEPS);
    await load.nothingLost();
    assert.deepEqual(load.report.failedReads, []);
    await onePlace();

    const [desk, shelf] = [await stage.qdrant('desk'), await stage.qdrant('shelf')];
    assert.deepEqual((await shelf.aliases()).map(({ alias }) => alias).toSorted(), ['docs', 'handbook']);
    assert.deepEqual(await desk.aliases(), []);
    assert.equal(await desk.collectionExists('docs--g1'), true, 'the source is kept');
    assert.deepEqual(Object.keys((await shelf.collection('docs')).payload_schema), ['revision']);
    assert.deepEqual(
      library.status?.generations?.map(({ cluster, state }) => `${cluster} ${state}`),
      ['desk Retired', 'shelf Active'],
    );
  },
);

scenario(
  'a library moves to a server outside and back, under load; both sides are equal, and no request fails for good',
  async (stage, context) => {
    await onDesk(stage, []);
    const { server, adopt } = cloudFrom(stage);
    await server.start({ apiKey: KEY });
    await adopt();
    const onePlace = await watched(stage, ['desk', 'cloud']);
    const load = await stage.followingLoad('docs');
    await eventually('there is something to copy', () => load.report.written > 100);
    for (const [there, generation] of [
      ['cloud', 2],
      ['desk', 3],
    ] as const) {
      await moveTo(stage, there);
      const { status } = await movedTo(stage, there);
      assert.equal(status?.generation, generation);
      const { written } = load.report;
      await eventually('the application goes on there', () => load.report.written > written + 40);
    }
    const report = await load.nothingLostAndNothingFailed();
    context.diagnostic(`longest write ${report.longestWrite.toFixed(0)} ms, ${report.postponed} put off`);
    await onePlace();

    await moveTo(stage, 'cloud');
    const { status } = await movedTo(stage, 'cloud');
    const [desk, cloud] = [await stage.qdrant('desk'), await stage.qdrant('cloud')];
    assert.deepEqual((await desk.collections()).length, 1, 'it went back onto what it had left');
    assert.deepEqual(await contents(cloud, 'docs'), await contents(desk, 'docs--g1'));
    assert.equal(findCondition(status?.conditions ?? [], 'QuickReturn')?.status, 'True');
    const active = status?.generations?.find(({ state }) => state === 'Active');
    assert.equal(active?.points, await cloud.count('docs', { exact: true }));
    assert.match(active?.digest ?? '', /^\d+-[0-9a-f]{32}$/);
  },
  ['outside-qdrant'],
);

scenario(
  'what a move has left is kept in step under load, though its workers are killed; what is lost elsewhere stays in it',
  async (stage, context) => {
    await onDesk(stage);
    await stage.changeLibrary('docs', { spec: { generations: { reverseSyncSeconds: 1 } } });
    const onePlace = await watched(stage, ['desk', 'shelf']);
    const load = await stage.followingLoad('docs');
    await eventually('there is something to copy', () => load.report.written > 100);
    await moveTo(stage, 'shelf');
    await movedTo(stage, 'shelf');
    await stage.untilLibrary(
      'docs',
      ({ status }) => status?.generations?.some(({ comparing }) => comparing !== undefined) === true,
      'comparing',
    );
    await killWorker(stage);
    await stage.librarySays('docs', 'ReverseSync', { status: 'True' });
    const { written } = load.report;
    await eventually('the application goes on', () => load.report.written > written + 40);
    await load.nothingLost();
    await onePlace();

    const [desk, shelf] = [await stage.qdrant('desk'), await stage.qdrant('shelf')];
    const serving = await contents(shelf, 'docs');
    await eventually('all of it is on the desk, too', async () =>
      isDeepStrictEqual(await contents(desk, 'docs--g1'), serving),
    );
    assert.deepEqual(await desk.aliases(), []);
    const { status } = await stage.library('docs');
    const left = status?.generations?.find(({ number }) => number === 1);
    context.diagnostic(`brought over ${left?.comparison?.written}, taken out ${left?.comparison?.removed}`);

    // As a lost segment would show: by no write under the public name.
    const lost = [...serving.keys()].slice(0, Math.ceil(serving.size / 4)) as PointId[];
    await shelf.deletePoints('docs--g2', { ids: lost });
    await stage.librarySays('docs', 'ReverseSync', { status: 'False', message: /successor-holds-what-was-left/ });
    assert.equal(await desk.count('docs--g1', { exact: true }), serving.size, 'nothing is taken out of it');
  },
);

scenario(
  'the target goes away in the middle, with another key when it is back: the source serves, and the move goes on',
  async (stage) => {
    await onDesk(stage, []);
    const { server, adopt } = cloudFrom(stage);
    await server.start({ apiKey: KEY });
    await adopt();
    const load = await stage.followingLoad('docs');
    await eventually('there is something to copy', () => load.report.written > 100);
    await moveTo(stage, 'cloud');
    await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Copying', 'copying');
    await server.stop();
    await stage.librarySays('docs', 'MoveBlocked', { status: 'True', message: /target-ready|ended early/ });
    const { written } = load.report;
    await eventually('the source serves', () => load.report.written > written + 40);
    const { status } = await stage.library('docs');
    assert.deepEqual([status?.cluster, findCondition(status?.conditions ?? [], 'Ready')?.status], ['desk', 'True']);
    await server.start({ apiKey: 'key-number-two' });
    await stage.librarySays('docs', 'MoveBlocked', { status: 'True', message: /[Kk]ey|Unauthorized|401|ended early/ });
    await stage.putSecret('cloud-key', { 'api-key': 'key-number-two' });
    await movedTo(stage, 'cloud');
    await load.nothingLost();
    assert.deepEqual(load.report.failedReads, []);
  },
  ['outside-qdrant'],
);

scenario(
  'peers of the source and of the target are killed in the middle: the move ends, nothing is lost',
  async (stage) => {
    await onDesk(stage);
    const load = await stage.followingLoad('docs');
    await eventually('there is something to copy', () => load.report.written > 100);
    await moveTo(stage, 'shelf');
    await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Copying', 'copying');
    await stage.ground.kill(stage.key('shelf-0'));
    await stage.untilLibrary('docs', isCopied, 'copied');
    await stage.ground.kill(stage.key('desk-0'));
    await movedTo(stage, 'shelf');
    await load.nothingLost();
  },
);

scenario('what the target can not take is refused by name before anything is made, until it can', async (stage) => {
  await onDesk(stage);
  await stage.changeCluster('shelf', { spec: { limits: { maxCollections: 1 } } });
  const shelf = await stage.qdrant('shelf');
  await shelf.createCollection('theirs', { vectors: { size: 2, distance: 'Dot' } });
  await shelf.updateAliases([{ create_alias: { collection_name: 'theirs', alias_name: 'handbook' } }]);
  await moveTo(stage, 'shelf');
  await stage.librarySays('docs', 'MoveBlocked', {
    status: 'True',
    reason: 'PredicatesRefuse',
    message: /target-has-room: .*1 collections of 1; target-name-free: .*handbook is an alias of theirs/,
  });
  assert.deepEqual(await shelf.collections(), ['theirs']);
  await shelf.updateAliases([{ delete_alias: { alias_name: 'handbook' } }]);
  await stage.librarySays('docs', 'MoveBlocked', { message: /no move to shelf: target-has-room: [^;]*$/ });
  await stage.changeCluster('shelf', { spec: { limits: null } });
  await movedTo(stage, 'shelf');
});

scenario('a move is taken back in the middle, or begun anew elsewhere; what was built is dropped', async (stage) => {
  await onDesk(stage, ['shelf', 'attic']);
  const load = await stage.followingLoad('docs');
  await eventually('there is something to copy', () => load.report.written > 60);
  const shelf = await stage.qdrant('shelf');
  for (const next of ['desk', 'attic']) {
    await moveTo(stage, 'shelf');
    await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Copying', 'copying');
    await moveTo(stage, next);
    await movedTo(stage, next);
    await eventually('what was built is dropped', async () => (await shelf.collections()).length === 0);
  }
  await load.nothingLost();
});

scenario('library and target cluster deleted in the middle of a move leave nothing half built', async (stage) => {
  await onDesk(stage);
  await moveTo(stage, 'shelf');
  await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Copying', 'copying');
  await stage.admin.delete(CLUSTERS, stage.key('shelf'));
  await eventually('the move is given up', async () => (await stage.library('docs')).status?.change === undefined);
  await stage.librarySays('docs', 'MoveBlocked', { message: /target-ready: QdrantCluster shelf is being deleted/ });
  await moveTo(stage, 'desk');
  await stage.gone('cluster', 'shelf');
  await movedTo(stage, 'desk');

  await stage.createCluster('attic', { size: 1 });
  await stage.clusterReady('attic', 1);
  await moveTo(stage, 'attic');
  await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Copying', 'copying');
  await stage.admin.delete(LIBRARIES, stage.key('docs'));
  await stage.gone('library', 'docs');
  const [desk, attic] = [await stage.qdrant('desk'), await stage.qdrant('attic')];
  assert.deepEqual(await attic.collections(), []);
  assert.deepEqual(await desk.collections(), ['docs--g1'], 'deletionPolicy Retain keeps what served');
});
