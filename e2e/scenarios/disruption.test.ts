import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Informer, PODS, type Pod } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { isReady } from '../stage/operator.ts';
import { SCENARIO_SECONDS } from '../stage/patience.ts';
import { ReadyPeers } from '../stage/ready-peers.ts';
import { scenarios } from '../stage/scenario.ts';
import { idsOf, oneClusterInFullNumber, stacks } from '../stage/stacks.ts';
import type { Stage } from '../stage/stage.ts';

/** Longer than anybody waits here: who leads before it is over was handed the Lease. */
const LEASE_SECONDS = 60;
const operator = { QDRANT_LIBRARIAN_LEASE_SECONDS: String(LEASE_SECONDS), QDRANT_LIBRARIAN_RENEW_SECONDS: '50' };

const scenario = await scenarios({ operator });

const peersOf = ({ admin, namespace }: Stage): Promise<Pod[]> =>
  admin.listAll(PODS, { namespace, labelSelector: 'qdrant-librarian.io/cluster=stacks' });

const drained: Parameters<typeof scenario>[1] = async (stage) => {
  const load = await stacks(stage);
  const before = await peersOf(stage);
  const peers = await ReadyPeers.follow(stage.admin, { namespace: stage.namespace, cluster: 'stacks' });
  stage.defer(() => peers.fewest());
  await stage.scale('stacks', 4);
  await stage.untilCluster('stacks', ({ status }) => status?.operation?.name === 'ScaleOut', 'scaling out');
  const node = before[0]?.spec?.nodeName ?? '';
  const draining = stage.kubectl(
    'drain',
    node,
    '--pod-selector=qdrant-librarian.io/cluster=stacks',
    '--delete-emptydir-data',
    '--ignore-daemonsets',
    `--timeout=${Math.round(SCENARIO_SECONDS * 0.75)}s`,
  );
  // With a single node nothing that was evicted has a place to go until it is opened again.
  stage.defer(() => stage.kubectl('uncordon', node));
  await Promise.race([draining, sleep(5000)]);
  await stage.kubectl('uncordon', node);
  await draining;
  await stage.clusterReady('stacks', 4);

  await load.nothingLostAndNothingFailed();
  assert.ok((await peers.fewest()) >= 2, 'never more than one peer was away');
  const old = new Set(before.map(({ metadata }) => metadata.uid));
  assert.deepEqual(
    (await peersOf(stage)).filter(({ metadata }) => old.has(metadata.uid)).map(({ metadata }) => metadata.name),
    [],
    'every peer was evicted',
  );
};
scenario('a node is drained while a cluster grows: one peer at a time goes, applications notice nothing', drained, [
  'kubectl',
  'node-drain',
]);

scenario('while one peer is away nobody evicts another', async (stage) => {
  const load = await stacks(stage);
  const evict = (name: string): Promise<number> => {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: stage.key(name) };
    const path = `/api/v1/namespaces/${stage.namespace}/pods/${name}/eviction`;
    return stage.admin.raw('POST', path, { body }).then(({ status }) => status);
  };
  await eventually('when all has been settled one may go', async () => (await evict('stacks-2')) === 201);
  assert.equal(await evict('stacks-1'), 429);
  await stage.clusterReady('stacks', 3);
  await eventually('with all back the next one may go', async () => (await evict('stacks-1')) === 201);
  await eventually('its pod is a new one, and ready', async () => (await peersOf(stage)).filter(isReady).length === 3);
  await stage.clusterReady('stacks', 3);
  await load.nothingLostAndNothingFailed();
  await oneClusterInFullNumber(await stage.qdrant('stacks'), 'docs--g1');
});

scenario('a peer whose pod is deleted ends by itself, in its time, and comes back as the one it was', async (stage) => {
  const load = await stacks(stage);
  const before = idsOf(await stage.cluster('stacks'));
  const ends = await exitCodes(stage, 'stacks-1');
  await stage.admin.delete(PODS, stage.key('stacks-1'));
  await eventually('the end of its process is told', () => ends.length > 0);
  assert.notEqual(ends[0], 137, 'it was not killed');
  const after = await stage.clusterReady('stacks', 3);

  await load.nothingLostAndNothingFailed();
  assert.deepEqual(idsOf(after), before);
});

/** Follows a pod; with what its containers ended. */
async function exitCodes(stage: Stage, name: string): Promise<readonly number[]> {
  const codes: number[] = [];
  const stopping = new AbortController();
  const informer = new Informer<Pod>({ client: stage.admin, type: PODS, namespace: stage.namespace });
  informer.onChange(({ object: { metadata, status } }) => {
    if (metadata.name !== name || metadata.deletionTimestamp === undefined) return;
    for (const { state } of status?.containerStatuses ?? []) {
      if (state?.terminated !== undefined) codes.push(state.terminated.exitCode);
    }
  });
  const running = informer.start(stopping.signal);
  stage.defer(() => {
    stopping.abort();
    return running;
  });
  await informer.whenSynced();
  return codes;
}

scenario(
  'an operator that is told to end hands leadership on: the next one leads before the Lease is over',
  async (stage) => {
    await stage.createCluster('desk', { size: 1 });
    await stage.clusterReady('desk', 1);
    const holder = await stage.operator.holder();
    const began = performance.now();
    await stage.admin.delete(PODS, { namespace: stage.ground.operator.namespace, name: await stage.operator.leader() });
    await eventually('another process leads', async () => ![holder, ''].includes(await stage.operator.holder()));
    assert.ok(performance.now() - began < LEASE_SECONDS * 1000);
    await stage.scale('desk', 2);
    await stage.clusterReady('desk', 2);
  },
);
