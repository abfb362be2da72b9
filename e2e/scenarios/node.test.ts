import assert from 'node:assert/strict';
import {
  KubeError,
  NAMESPACES,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  type Pod,
  STORAGE_CLASSES,
} from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { ReadyPeers } from '../stage/ready-peers.ts';
import { scenarios } from '../stage/scenario.ts';
import { idsOf, oneClusterInFullNumber, stacks } from '../stage/stacks.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios({ needs: ['real-controllers'] });

const peersOf = (stage: Stage): Promise<Pod[]> =>
  stage.admin.listAll(PODS, { namespace: stage.namespace, labelSelector: 'qdrant-librarian.io/cluster=stacks' });

const restartsOf = (pods: readonly Pod[]): Record<string, number> =>
  Object.fromEntries(
    pods.map(({ metadata, status }) => [metadata.name, status?.containerStatuses?.[0]?.restartCount ?? 0]),
  );

const names: Parameters<typeof scenario>[1] = async (stage) => {
  const { namespace } = stage;
  await stage.createCluster('stacks', { size: 3 });
  await stage.clusterReady('stacks', 3);
  const qdrant = await stage.qdrant('stacks');
  for (const peer of qdrant.peers) {
    const uris = Object.values((await peer.cluster()).peers ?? {}).flatMap((one) =>
      one === undefined ? [] : [new URL(one.uri).hostname],
    );
    const wanted = [0, 1, 2].map((ordinal) => `stacks-${ordinal}.stacks-headless.${namespace}.svc`);
    assert.deepEqual(uris.toSorted(), wanted, 'peers know each other by name');
  }
  const addresses = new Set<string>();
  for (const { metadata, status } of await peersOf(stage)) {
    const name = `${metadata.name}.stacks-headless.${namespace}.svc`;
    // Asked in a pod: where this process is outside, it has names of the cluster in another way.
    const answer = await stage.kubectl('exec', 'stacks-0', '--', 'getent', 'ahostsv4', name);
    const [address = ''] = answer.split(/\s/);
    assert.equal(address, status?.podIP, 'DNS tells the address of each pod');
    addresses.add(address);
  }
  assert.equal(addresses.size, 3, 'every pod has an address of its own');

  const policies = await stage.admin.listAll(NETWORK_POLICIES, { namespace });
  const [policy] = policies.filter(({ metadata }) => metadata.name === 'stacks');
  const selector = Object.entries(policy?.spec?.podSelector?.matchLabels ?? {}).map(
    ([key, value]) => `${key}=${value}`,
  );
  const selected = await stage.admin.listAll(PODS, { namespace, labelSelector: selector.join() });
  assert.equal(selected.length, 3, 'the network policy is about the peers');
};
scenario('peers know each other by names that DNS answers', names, ['pod-network', 'kubectl']);

const restricted: Parameters<typeof scenario>[1] = async (stage) => {
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await stage.admin.patch(
    NAMESPACES,
    { namespace: '', name: stage.namespace },
    { metadata: { labels } },
    { type: 'merge' },
  );
  const refused = (pod: Partial<Pod['spec']>): Promise<unknown> =>
    stage.admin.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: stage.key('intruder'),
      spec: { containers: [{ name: 'intruder', image: 'intruder' }], ...pod },
    } as Pod);
  await assert.rejects(
    refused({}),
    (error) => error instanceof KubeError && /PodSecurity "restricted/.test(error.message),
  );
  const load = await stacks(stage);
  await stage.changeLibrary('docs', { spec: { shards: { number: 4 } } });
  await stage.libraryReady('docs', 2);
  await load.nothingLost();
};
scenario('peers and workers are pods as the restricted standard wants them', restricted, ['pod-security']);

/** Each takes less than a Qdrant does, all together more than there is: so Qdrant is what the kernel ends. */
const EAT =
  'for one in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do cat /dev/zero | tail -c 24M & done; wait';

const memory: Parameters<typeof scenario>[1] = async (stage) => {
  await stage.createCluster('stacks', { size: 3, resources: { limits: { memory: '400Mi' } } });
  await stage.clusterReady('stacks', 3);
  await stage.createLibrary('docs', 'stacks', { shards: { number: 3, replicationFactor: 2 } });
  await stage.libraryReady('docs');
  const load = await stage.load('docs');
  await eventually('the application is at work', () => load.report.written > 40);
  const before = idsOf(await stage.cluster('stacks'));
  const peers = await ReadyPeers.follow(stage.admin, { namespace: stage.namespace, cluster: 'stacks' });
  stage.defer(() => peers.fewest());
  await stage.kubectl('exec', 'stacks-1', '--', '/bin/sh', '-c', EAT).catch(() => undefined);
  await eventually('the kernel ended it', async () => {
    const { status } = await stage.admin.get(PODS, stage.key('stacks-1'));
    const { lastState, state } = status?.containerStatuses?.[0] ?? {};
    // Now and then containerd sees the end of the process before it hears of its cause.
    return [lastState, state].some(
      (one) => one?.terminated?.reason === 'OOMKilled' || one?.terminated?.exitCode === 137,
    );
  });
  await eventually('it runs again', async () => restartsOf(await peersOf(stage))['stacks-1'] === 1);
  const after = await stage.clusterReady('stacks', 3);

  await load.nothingLost();
  assert.ok((await peers.fewest()) >= 2, 'never more than one peer was away');
  assert.deepEqual(idsOf(after), before, 'the peer came back as the one it was');
  await oneClusterInFullNumber(await stage.qdrant('stacks'), 'docs--g1');
};
scenario('a peer that the kernel ends for want of memory comes back as the one it was', memory, [
  'memory-limits',
  'kubectl',
]);

const kubelet: Parameters<typeof scenario>[1] = async (stage) => {
  const load = await stacks(stage);
  await stage.scale('stacks', 4);
  await eventually('the fourth peer is on its way', async () => (await peersOf(stage)).length === 4);
  await stage.ground.restartKubelet();
  await stage.clusterReady('stacks', 4);

  await load.nothingLostAndNothingFailed();
  // Not that all were ready all the time: a kubelet that starts takes pods for unready until it has probed them.
  assert.deepEqual(restartsOf(await peersOf(stage)), { 'stacks-0': 0, 'stacks-1': 0, 'stacks-2': 0, 'stacks-3': 0 });
};
scenario('the kubelet is restarted while a cluster grows: pods run on, and it grows', kubelet, ['kubelet-restart']);

const growing: Parameters<typeof scenario>[1] = async (stage) => {
  const classes = await stage.admin.listAll(STORAGE_CLASSES, {});
  const storageClassName =
    classes.find(({ allowVolumeExpansion }) => allowVolumeExpansion === true)?.metadata.name ?? '';
  await stage.createCluster('stacks', { size: 1, persistence: { size: '1Gi', storageClassName } });
  await stage.clusterReady('stacks', 1);
  const claim = stage.key('qdrant-storage-stacks-0');
  const body = { spec: { resources: { requests: { storage: '2Gi' } } } };
  await stage.admin.patch(PERSISTENT_VOLUME_CLAIMS, claim, body, { type: 'merge' });
  await eventually('the volume has grown', async () => {
    const { status } = await stage.admin.get(PERSISTENT_VOLUME_CLAIMS, claim);
    return status?.capacity?.['storage'] === '2Gi';
  });
  await stage.clusterReady('stacks', 1);
  assert.deepEqual(restartsOf(await peersOf(stage)), { 'stacks-0': 0 }, 'while it was in use');
};
scenario('a claim whose class can grow does so under a running peer', growing, ['volume-expansion']);
