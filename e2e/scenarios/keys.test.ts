import assert from 'node:assert/strict';
import { PODS, SECRETS, type Secret } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { isReady } from '../stage/operator.ts';
import { scenarios } from '../stage/scenario.ts';
import { type Stage, says } from '../stage/stage.ts';

const scenario = await scenarios();

const decoded = ({ data = {} }: Secret, key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();

async function changeKey({ admin, key }: Stage, name: string, value: string): Promise<void> {
  await admin.patch(SECRETS, key(name), { stringData: { 'api-key': value } }, { type: 'merge' });
}

/** As an admin does it who follows the documentation: one after the other. */
async function restart(stage: Stage, name: string): Promise<void> {
  const { uid } = (await stage.admin.get(PODS, stage.key(name))).metadata;
  await stage.admin.delete(PODS, stage.key(name));
  await eventually(`${name} is a new pod, and ready`, async () => {
    const pod = await stage.admin.find(PODS, stage.key(name));
    return pod !== undefined && pod.metadata.uid !== uid && isReady(pod);
  });
}

scenario('a key that changes reaches pods when they restart, and applications when pods accept it', async (stage) => {
  await stage.putSecret('own-key', { 'api-key': 'key-of-the-first-year' });
  await stage.createCluster('desk', { size: 2, apiKey: { secretKeyRef: { name: 'own-key' } } });
  await stage.clusterReady('desk', 2);
  await stage.createLibrary('docs', 'desk', { shards: { number: 2, replicationFactor: 2 } });
  await stage.libraryReady('docs', 1);
  const bound = async (): Promise<string> =>
    decoded(await stage.admin.get(SECRETS, stage.key('docs-binding')), 'api-key');

  await changeKey(stage, 'own-key', 'key-of-the-second-year');
  await stage.clusterSays('desk', 'KeyChanged', { status: 'True' });
  assert.equal(await bound(), 'key-of-the-first-year', 'what the pods accept');
  await restart(stage, 'desk-1');
  await restart(stage, 'desk-0');
  await eventually('applications get the key that the pods accept now', async () => {
    return (await bound()) === 'key-of-the-second-year';
  });
  const free = (object: Parameters<typeof says>[0]): boolean => !says(object, 'KeyChanged', { status: 'True' });
  await stage.untilCluster('desk', free, 'without KeyChanged');
  await stage.clusterReady('desk', 2);
  await stage.libraryReady('docs', 1);
});
