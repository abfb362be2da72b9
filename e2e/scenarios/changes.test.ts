import assert from 'node:assert/strict';
import { NETWORK_POLICIES, POD_DISRUPTION_BUDGETS, PODS } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';

const scenario = await scenarios();

scenario('a configuration that changes restarts the peers one by one, under load', async (stage) => {
  await stage.createCluster('desk', { size: 2 });
  await stage.clusterReady('desk', 2);
  await stage.createLibrary('docs', 'desk', { shards: { number: 2, replicationFactor: 2 } });
  await stage.libraryReady('docs');
  const load = await stage.load('docs');
  const uidOf = async (pod: string): Promise<string | undefined> =>
    (await stage.admin.find(PODS, stage.key(pod)))?.metadata.uid;
  const [zero, one] = [await uidOf('desk-0'), await uidOf('desk-1')];
  await stage.changeCluster('desk', { spec: { config: { log_level: 'WARN' } } });
  // A peer takes up to half a minute to end its connections.
  await eventually('the pod of the highest number was made anew', async () => {
    const now = await uidOf('desk-1');
    return now !== undefined && now !== one;
  });
  assert.equal(await uidOf('desk-0'), zero, 'the other one ran on');
  await eventually('the other pod was made anew', async () => {
    const now = await uidOf('desk-0');
    return now !== undefined && now !== zero;
  });
  await stage.clusterReady('desk', 2);
  await load.nothingLost();
});

scenario(
  'a budget and a policy that the spec takes back are deleted, and made again when it wants them',
  async (stage) => {
    await stage.createCluster('desk', { size: 1 });
    await stage.clusterReady('desk', 1);
    const kept = async (): Promise<number> => {
      const found = [
        await stage.admin.find(POD_DISRUPTION_BUDGETS, stage.key('desk')),
        await stage.admin.find(NETWORK_POLICIES, stage.key('desk')),
      ];
      return found.filter((object) => object !== undefined).length;
    };
    const want = (enabled: boolean): Promise<void> =>
      stage.changeCluster('desk', { spec: { podDisruptionBudget: { enabled }, networkPolicy: { enabled } } });
    assert.equal(await kept(), 2);
    await want(false);
    await eventually('both are gone', async () => (await kept()) === 0);
    await want(true);
    await eventually('both are back', async () => (await kept()) === 2);
    await stage.clusterReady('desk', 1);
  },
);
