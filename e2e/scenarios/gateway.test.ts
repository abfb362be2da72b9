import assert from 'node:assert/strict';
import { LibraryLoad } from '../../sandbox/load/library-load.ts';
import { isReady as isReadyLibrary } from '../../sandbox/run/wait.ts';
import type { DomainLibrary } from '../../src/api/index.ts';
import { PODS, SECRETS } from '../../src/kube/index.ts';
import { ClusterClient } from '../../src/qdrant/index.ts';
import { eventually } from '../stage/eventually.ts';
import { isReady } from '../stage/operator.ts';
import { scenarios } from '../stage/scenario.ts';
import { DIMENSIONS, type Stage } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['gateway'], gateways: 2 });

const GATEWAY_PODS = 'app.kubernetes.io/component=gateway';

async function gatewaysReady({ ground, admin }: Stage): Promise<string[]> {
  const { namespace } = ground.operator;
  await eventually('two gateways are ready', async () => {
    const pods = await admin.listAll(PODS, { namespace, labelSelector: GATEWAY_PODS });
    return pods.length === 2 && pods.every(isReady);
  });
  const pods = await admin.listAll(PODS, { namespace, labelSelector: GATEWAY_PODS });
  return pods.map(({ metadata }) => metadata.name);
}

async function keyOf(stage: Stage, library: string): Promise<string> {
  const secret = await stage.admin.get(SECRETS, stage.key(`${library}-binding`));
  return Buffer.from(secret.data?.['api-key'] ?? '', 'base64').toString();
}

/** An application that knows the gateway's address and its library's key, and nothing of clusters. */
async function loadThroughGateway(stage: Stage, library: string): Promise<LibraryLoad> {
  const rest = `${stage.ground.gatewayUrl}/namespaces/${stage.namespace}`;
  const client = new ClusterClient(
    { peers: [{ name: 'gateway', rest }], apiKey: await keyOf(stage, library) },
    { retry: { attempts: 8 } },
  );
  const pace = { firstId: 1, batch: 4, pauseMilliseconds: 60, readPauseMilliseconds: 60, dimensions: DIMENSIONS };
  const load = new LibraryLoad({ client, collection: library, ...pace });
  stage.defer(async () => {
    await load.stop();
    await load.close();
  });
  return load;
}

/** The application goes on writing and reading. */
async function goesOn(load: LibraryLoad): Promise<void> {
  const { written, reads } = load.report;
  await eventually('the load goes on', () => load.report.written > written + 40 && load.report.reads > reads + 20);
}

scenario(
  'through the gateway no request fails, and nothing is lost, while a generation changes, a peer and a gateway are killed',
  async (stage, context) => {
    const gateways = await gatewaysReady(stage);
    await stage.createCluster('desk', { size: 3 });
    await stage.clusterReady('desk', 3);
    await stage.createLibrary('docs', 'desk', { shards: { number: 2, replicationFactor: 2 } });
    await stage.libraryReady('docs');
    const load = await loadThroughGateway(stage, 'docs');
    await eventually('there is something to copy', () => load.report.written > 100);

    await stage.changeLibrary('docs', { spec: { shards: { number: 3, replicationFactor: 2 } } });
    await stage.libraryReady('docs', 2);
    const changed = load.report;
    context.diagnostic(`change of generation: ${JSON.stringify(changed)}`);

    await goesOn(load);
    // It may be back sooner than the load has gone on for long enough.
    const noticed = stage.clusterSays('desk', 'Ready', { status: 'False' });
    await stage.ground.kill(stage.key('desk-1'));
    await Promise.all([noticed, goesOn(load)]);
    await stage.clusterReady('desk', 3);
    const [gateway = ''] = gateways;
    await stage.ground.kill({ namespace: stage.ground.operator.namespace, name: gateway });
    await goesOn(load);
    await gatewaysReady(stage);
    await goesOn(load);

    const report = await load.stop();
    const verdict = await load.verify();
    context.diagnostic(JSON.stringify({ ...report, expected: verdict.expected }));
    assert.deepEqual(verdict.lost, []);
    assert.deepEqual(verdict.undeleted, []);
    assert.deepEqual(report.failedWrites, []);
    assert.deepEqual(report.failedReads, []);
    assert.equal(report.postponed, 0, 'the fence was waited for by the gateway, not by the application');
    assert.ok(verdict.expected > 100 && report.reads > 30);
  },
  ['pod-faults'],
);

scenario(
  'a library moves to another cluster and back under an application that knows only the gateway and its first key',
  async (stage, context) => {
    await gatewaysReady(stage);
    for (const name of ['desk', 'shelf']) await stage.createCluster(name, { size: 1 });
    for (const name of ['desk', 'shelf']) await stage.clusterReady(name, 1);
    await stage.createLibrary('docs', 'desk', { shards: { number: 2 } });
    await stage.libraryReady('docs');
    const load = await loadThroughGateway(stage, 'docs');
    await eventually('there is something to copy', () => load.report.written > 100);
    for (const place of ['shelf', 'desk']) {
      await stage.changeLibrary('docs', { spec: { placement: { clusterRef: { name: place } } } });
      const lives = `Ready on ${place}`;
      const there = ({ status }: DomainLibrary) => status?.cluster === place && status.change === undefined;
      await stage.untilLibrary('docs', (library) => isReadyLibrary(library) && there(library), lives);
      await goesOn(load);
    }
    const report = await load.stop();
    const verdict = await load.verify();
    context.diagnostic(JSON.stringify({ ...report, expected: verdict.expected }));
    assert.deepEqual([verdict.lost, verdict.undeleted, report.failedWrites, report.failedReads], [[], [], [], []]);
    assert.equal(report.postponed, 0);
  },
);
