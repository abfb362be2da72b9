import assert from 'node:assert/strict';
import { CLUSTERS } from '../../sandbox/run/wait.ts';
import { QUICK_LEASE } from '../stage/operator-settings.ts';
import { ReadyPeers } from '../stage/ready-peers.ts';
import { scenarios } from '../stage/scenario.ts';
import { atEachStep } from '../stage/steps.ts';

const scenario = await scenarios({ needs: ['pod-faults'], operator: QUICK_LEASE });

scenario('a scale-in goes on although the operator is killed at every step of it', async (stage, context) => {
  await stage.createCluster('stacks', { size: 4 });
  await stage.clusterReady('stacks', 4);
  await stage.createLibrary('docs', 'stacks', { shards: { number: 4, replicationFactor: 2 } });
  await stage.libraryReady('docs');
  const load = await stage.load('docs');
  const peers = await ReadyPeers.follow(stage.admin, { namespace: stage.namespace, cluster: 'stacks' });
  stage.defer(() => peers.fewest());
  const removed = (await stage.cluster('stacks')).status?.peers?.find(({ name }) => name === 'stacks-3')?.peerId;

  const leader = await stage.operator.leader();
  const steps = atEachStep(
    {
      client: stage.admin,
      type: CLUSTERS,
      namespace: stage.namespace,
      name: 'stacks',
      stepOf: ({ status }) => (status?.operation?.name === 'ScaleIn' ? status.operation.step : undefined),
    },
    () => stage.ground.kill({ namespace: stage.ground.operator.namespace, name: leader }),
  );
  stage.defer(steps);
  await stage.scale('stacks', 3);
  const cluster = await stage.clusterReady('stacks', 3);
  const killedAt = await steps();
  context.diagnostic(`killed at ${killedAt.join(', ')}`);

  assert.deepEqual(killedAt, ['DrainShards', 'StopPod', 'RemovePeer']);
  await load.nothingLostAndNothingFailed();
  assert.ok((await peers.fewest()) >= 3, 'three peers were ready all the time');
  assert.deepEqual(
    cluster.status?.peers?.filter(({ state }) => state === 'Ready').map(({ name }) => name),
    ['stacks-0', 'stacks-1', 'stacks-2'],
  );
  const qdrant = await stage.qdrant('stacks');
  for (const name of ['stacks-0', 'stacks-1', 'stacks-2']) {
    const members = Object.keys((await qdrant.peer(name).cluster()).peers ?? {});
    assert.equal(members.length, 3, `${name} knows three members`);
    assert.equal(members.includes(String(removed)), false, `${name} has forgotten the removed peer`);
  }
});
