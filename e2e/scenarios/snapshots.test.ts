import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { LIBRARIES } from '../../sandbox/run/wait.ts';
import { PODS } from '../../src/kube/index.ts';
import { type Bucket, openBucket } from '../../src/library/snapshots/bucket.ts';
import type { ClusterClient } from '../../src/qdrant/index.ts';
import { addHash, EMPTY_DIGEST, formatDigest, pointHash } from '../../src/vectors/index.ts';
import { eventually } from '../stage/eventually.ts';
import { EverythingSaid } from '../stage/everything-said.ts';
import { QUICK_LEASE } from '../stage/operator-settings.ts';
import { scenarios } from '../stage/scenario.ts';
import { DIMENSIONS, type Stage } from '../stage/stage.ts';
import { atEachStep } from '../stage/steps.ts';

const scenario = await scenarios({ needs: ['pod-faults'], operator: QUICK_LEASE });

/** A library with points that stay as they are. */
async function filled(stage: Stage, cluster: object, library: object): Promise<ClusterClient> {
  await stage.createCluster('desk', cluster);
  await stage.clusterReady('desk');
  await stage.createLibrary('docs', 'desk', library);
  await stage.libraryReady('docs', 1);
  const qdrant = await stage.qdrant('desk');
  const points = Array.from({ length: 2000 }, (_, at) => ({
    id: at + 1,
    vector: Array.from({ length: DIMENSIONS }, (_each, index) => ((at * 31 + index * 7) % 97) / 97),
    payload: { n: at, text: `passage ${at}` },
  }));
  await qdrant.upsert('docs', points);
  return qdrant;
}

async function digestOf(qdrant: ClusterClient): Promise<string> {
  let digest = EMPTY_DIGEST;
  for await (const point of qdrant.scrollAll('docs', { withVectors: true, limit: 500 })) {
    digest = addHash(digest, pointHash(point));
  }
  return formatDigest(digest);
}

/** What an import with a mistake in it does. */
async function damage(qdrant: ClusterClient): Promise<void> {
  await qdrant.deletePoints('docs', { ids: Array.from({ length: 500 }, (_, at) => at * 3 + 1) });
  const wrong = { vector: Array.from({ length: DIMENSIONS }, () => 1), payload: { text: 'wrong' } };
  await qdrant.upsert(
    'docs',
    Array.from({ length: 100 }, (_, at) => ({ id: at * 3 + 2, ...wrong })),
  );
}

async function inBucket(
  stage: Stage,
): Promise<{ readonly snapshots: object; readonly bucket: Bucket; readonly secret: string }> {
  const { url: endpoint, region, bucket, accessKeyId, secretAccessKey } = await stage.ground.objectStore();
  await stage.putSecret('bucket-key', { 'access-key-id': accessKeyId, 'secret-access-key': secretAccessKey });
  const s3 = { bucket, prefix: 'backups', endpoint, region, credentialsSecretRef: { name: 'bucket-key' } };
  const place = { bucket, prefix: 'backups/', endpoint, region, credentials: true };
  const opened = openBucket(place, { accessKeyId, secretAccessKey });
  stage.defer(() => Promise.resolve(opened.close()));
  return { snapshots: { destination: { type: 's3', s3 } }, bucket: opened, secret: secretAccessKey };
}

const annotated = (name: string, value: string) => ({
  metadata: { annotations: { [`qdrant-librarian.io/${name}`]: value } },
});

/** The newest snapshot, once there are so many. */
async function snapshots(stage: Stage, count: number) {
  const { status } = await stage.untilLibrary(
    'docs',
    (library) => (library.status?.snapshots?.items ?? []).length >= count,
    `showing ${count} snapshots`,
  );
  const [newest] = status?.snapshots?.items ?? [];
  return newest ?? assert.fail('no snapshot');
}

const rolledBack = (stage: Stage, target: string) =>
  stage.untilLibrary(
    'docs',
    ({ status }) => status?.rollback?.target === target && status.rollback.state === 'Done',
    `rolled back to ${target}`,
  );

async function killWorkers({ ground, admin, namespace }: Stage): Promise<void> {
  const pods = await admin.listAll(PODS, { namespace, labelSelector: 'batch.kubernetes.io/job-name' });
  for (const { metadata, status } of pods) {
    if (status?.phase === 'Running') await ground.kill({ namespace, name: metadata.name });
  }
}

scenario(
  'what was damaged on purpose comes back from the bucket by digest, onto another number of peers, though operator and workers are killed',
  async (stage, context) => {
    const said = new EverythingSaid(stage);
    stage.defer(() => said.all());
    const { snapshots: wanted, secret } = await inBucket(stage);
    const qdrant = await filled(stage, { size: 2 }, { snapshots: wanted, shards: { number: 3, replicationFactor: 2 } });
    const before = await digestOf(qdrant);
    const { operator, namespace: operatorNamespace } = {
      operator: stage.operator,
      namespace: stage.ground.operator.namespace,
    };

    const making = atEachStep(
      {
        client: stage.admin,
        type: LIBRARIES,
        namespace: stage.namespace,
        name: 'docs',
        stepOf: ({ status }) => (status?.snapshots?.running === undefined ? undefined : 'making'),
      },
      async () => {
        await stage.ground.kill({ namespace: operatorNamespace, name: await operator.leader() });
        await killWorkers(stage);
      },
    );
    stage.defer(making);
    await stage.changeLibrary('docs', annotated('snapshot', 'before-the-import'));
    const made = await snapshots(stage, 1);
    await making();
    assert.equal(made.digest, before);
    assert.equal(made.points, 2000);

    await stage.scale('desk', 3);
    await stage.clusterReady('desk', 3);
    const grown = await stage.qdrant('desk');
    await damage(grown);
    assert.notEqual(await digestOf(grown), before);

    const killing = atEachStep(
      {
        client: stage.admin,
        type: LIBRARIES,
        namespace: stage.namespace,
        name: 'docs',
        stepOf: ({ status }) => (status?.rollback?.state === 'Running' ? status.rollback.step : undefined),
      },
      async () => {
        await stage.ground.kill({ namespace: operatorNamespace, name: await operator.leader() });
        await killWorkers(stage);
      },
    );
    stage.defer(killing);
    await stage.changeLibrary('docs', { spec: { rollback: { toSnapshot: made.name } } });
    const { status } = await rolledBack(stage, `snapshot ${made.name}`);
    context.diagnostic(`killed at ${(await killing()).join(', ')}; ${status?.rollback?.message ?? ''}`);
    await stage.libraryReady('docs', 2);
    assert.equal(await digestOf(grown), before);
    assert.deepEqual(
      status?.generations?.map(({ number, state }) => [number, state]),
      [
        [1, 'Retired'],
        [2, 'Active'],
      ],
    );
    assert.equal(await grown.count('docs--g1'), 1500, 'what was live is kept as it was');
    const { shards } = { shards: (await grown.collectionCluster('docs')).shard_count };
    assert.equal(shards, 3);
    await eventually('Jobs are put away', async () => {
      const pods = await stage.admin.listAll(PODS, {
        namespace: stage.namespace,
        labelSelector: 'batch.kubernetes.io/job-name',
      });
      return pods.length === 0;
    });
    const everything = await said.all();
    for (const [where, text] of everything)
      assert.ok(!text.includes(secret), `the bucket's secret is told in ${where}`);
  },
  ['object-store', 'command-lines'],
);

scenario('local: by schedule, back by name, and on to what was replaced by its number; each once', async (stage) => {
  const qdrant = await filled(
    stage,
    { size: 2 },
    { shards: { number: 2 }, snapshots: { schedule: '* * * * *', keepLast: 2 } },
  );
  const before = await digestOf(qdrant);
  const made = await snapshots(stage, 1);
  assert.deepEqual([made.destination, made.digest], ['local', before]);
  await stage.changeLibrary('docs', { spec: { snapshots: { schedule: '0 0 1 1 *' } } });
  await damage(qdrant);
  const damaged = await digestOf(qdrant);

  await stage.changeLibrary('docs', { spec: { rollback: { toSnapshot: made.name } } });
  await rolledBack(stage, `snapshot ${made.name}`);
  await stage.libraryReady('docs', 2);
  assert.equal(await digestOf(qdrant), before);

  await stage.changeLibrary('docs', { spec: { rollback: { toSnapshot: null, toGeneration: 1 } } });
  const back = await rolledBack(stage, 'generation 1');
  await stage.libraryReady('docs', 1);
  assert.equal(await digestOf(qdrant), damaged);
  // The old generation may be written to again.
  await qdrant.upsert('docs', [{ id: 9_000_001, vector: Array.from({ length: DIMENSIONS }, () => 1), payload: {} }]);

  await stage.ground.kill({ namespace: stage.ground.operator.namespace, name: await stage.operator.leader() });
  await stage.changeLibrary('docs', { spec: { description: 'something else' } });
  await stage.untilLibrary(
    'docs',
    ({ status, metadata }) => status?.observedGeneration === metadata.generation,
    'seen by the next operator',
  );
  const after = await stage.library('docs');
  assert.deepEqual(after.status?.rollback, back.status?.rollback);
  assert.equal(after.status?.generation, 1);
});

scenario(
  'a part with a wrong checksum and one that is gone are refused by name, and what is live serves on',
  async (stage) => {
    const { snapshots: wanted, bucket } = await inBucket(stage);
    const qdrant = await filled(stage, { size: 1 }, { snapshots: wanted, shards: { number: 2 } });
    await stage.changeLibrary('docs', annotated('snapshot', 'one'));
    const made = await snapshots(stage, 1);
    const load = await stage.load('docs', { firstId: 1_000_000 });
    const prefix = `backups/${stage.namespace}/docs/${made.name}/`;
    const [part] = (await bucket.list(prefix)).filter(({ key }) => key.endsWith('.snapshot'));
    if (part === undefined) throw new Error('no part');
    const bytes = Buffer.alloc(part.bytes, 1);
    await bucket.put(part.key, Readable.from([bytes]), { bytes: part.bytes, signal: new AbortController().signal });

    await stage.changeLibrary('docs', { spec: { rollback: { toSnapshot: made.name } } });
    await stage.librarySays('docs', 'RollbackFailed', { status: 'True', message: /ChecksumWrong: .*shard-\d/ });
    await stage.eventSays('docs', 'RollbackFailed');
    await bucket.remove(part.key);
    await stage.changeLibrary('docs', annotated('try-snapshot', made.name));
    const { status } = await stage.untilLibrary(
      'docs',
      (library) => library.status?.snapshots?.trial?.state === 'Failed',
      'telling that the trial failed',
    );
    assert.match(status?.snapshots?.trial?.message ?? '', /^PartMissing: .*shard-\d/);
    await eventually('what was begun is dropped', async () => (await qdrant.collections()).join() === 'docs--g1');
    await load.nothingLostAndNothingFailed();
  },
  ['object-store'],
);

scenario(
  'a bucket that denies, loses what it took or is gone: a condition and an event, nothing lost, and it goes on by itself',
  async (stage) => {
    const { snapshots: wanted } = await inBucket(stage);
    const qdrant = await filled(stage, { size: 1 }, { snapshots: wanted, shards: { number: 1 } });
    const before = await digestOf(qdrant);
    let count = 0;
    for (const [fault, reason] of [
      ['deny', 'BucketDenied'],
      ['truncate', 'BucketFailed'],
      ['gone', 'BucketMissing'],
      ['cut', 'BucketUnreachable'],
    ] as const) {
      await stage.ground.strikeObjectStore(fault);
      await stage.changeLibrary('docs', annotated('snapshot', fault));
      await stage.librarySays('docs', 'SnapshotFailing', { status: 'True', reason });
      await stage.ground.strikeObjectStore(undefined);
      count += 1;
      await snapshots(stage, count);
    }
    await stage.eventSays('docs', 'SnapshotFailed');
    await stage.eventSays('docs', 'SnapshotMade');
    await stage.ground.strikeObjectStore('gone');
    await damage(qdrant);
    const { name } = await snapshots(stage, count);
    await stage.changeLibrary('docs', { spec: { rollback: { toSnapshot: name } } });
    await stage.librarySays('docs', 'RollbackBlocked', { status: 'True', reason: 'BucketMissing' });
    await stage.eventSays('docs', 'RestoreFailed');
    assert.equal((await qdrant.aliases())[0]?.collection, 'docs--g1');
    await stage.ground.strikeObjectStore(undefined);
    await rolledBack(stage, `snapshot ${name}`);
    assert.equal(await digestOf(qdrant), before);
  },
  ['object-store', 'object-store-faults'],
);
