import assert from 'node:assert/strict';
import { eventually } from '../stage/eventually.ts';
import { ReadyPeers } from '../stage/ready-peers.ts';
import { scenarios } from '../stage/scenario.ts';
import { idsOf, oneClusterInFullNumber, stacks } from '../stage/stacks.ts';

const scenario = await scenarios({ needs: ['pod-faults'] });

scenario('a peer that is killed under load heals, and nobody notices', async (stage) => {
  const load = await stacks(stage);
  const before = idsOf(await stage.cluster('stacks'));
  const peers = await ReadyPeers.follow(stage.admin, { namespace: stage.namespace, cluster: 'stacks' });
  stage.defer(() => peers.fewest());
  await stage.ground.kill(stage.key('stacks-1'));
  await stage.clusterSays('stacks', 'Ready', { status: 'False' });
  const after = await stage.clusterReady('stacks', 3);

  await load.nothingLostAndNothingFailed();
  assert.ok((await peers.fewest()) >= 2, 'never more than one peer was away');
  assert.deepEqual(idsOf(after), before, 'the peer came back as the one it was');
  await oneClusterInFullNumber(await stage.qdrant('stacks'), 'docs--g1');
});

scenario('a peer that is paused is left alone, and is in step again when it goes on', async (stage) => {
  const load = await stacks(stage);
  const before = idsOf(await stage.cluster('stacks'));
  await stage.ground.pause(stage.key('stacks-2'));
  await stage.clusterSays('stacks', 'Ready', { status: 'False' });
  const written = load.report.written;
  await eventually('writes go on without the paused peer', () => load.report.written > written + 20);
  assert.deepEqual(idsOf(await stage.cluster('stacks')), before, 'nobody was given up');
  await stage.ground.resume(stage.key('stacks-2'));
  await stage.clusterReady('stacks', 3);

  await load.nothingLost();
  await oneClusterInFullNumber(await stage.qdrant('stacks'), 'docs--g1');
});
