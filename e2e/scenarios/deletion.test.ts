import assert from 'node:assert/strict';
import { CLUSTERS, LIBRARIES } from '../../sandbox/run/wait.ts';
import {
  CONFIG_MAPS,
  JOBS,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  STATEFUL_SETS,
} from '../../src/kube/index.ts';
import type { Need } from '../needs.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios();
const OUTSIDE: readonly Need[] = ['outside-qdrant'];

const KEY = 'key-of-the-annex';

async function annex(stage: Stage) {
  const server = stage.ground.outsideQdrant();
  await server.start({ apiKey: KEY });
  await stage.putSecret('annex-key', { 'api-key': KEY });
  await stage.createCluster('annex', { external: { url: server.url, apiKeySecretRef: { name: 'annex-key' } } });
  await stage.clusterReady('annex');
  return stage.qdrant('annex');
}

const deleteLibrary = ({ admin, key }: Stage, name: string) => admin.delete(LIBRARIES, key(name));
const deleteCluster = ({ admin, key }: Stage, name: string) => admin.delete(CLUSTERS, key(name));

scenario(
  'deletionPolicy says what becomes of the data: kept by default, dropped when asked for',
  async (stage) => {
    const qdrant = await annex(stage);
    await stage.createLibrary('kept', 'annex');
    await stage.createLibrary('dropped', 'annex', { deletionPolicy: 'Delete' });
    await Promise.all([stage.libraryReady('kept'), stage.libraryReady('dropped')]);
    await Promise.all([deleteLibrary(stage, 'kept'), deleteLibrary(stage, 'dropped')]);
    await Promise.all([stage.gone('library', 'kept'), stage.gone('library', 'dropped')]);
    assert.deepEqual(await qdrant.collections(), ['kept--g1']);
    assert.deepEqual(
      (await qdrant.aliases()).map(({ alias }) => alias),
      ['kept'],
      'applications of what is kept go on',
    );
    await eventually('binding Secrets are gone', async () => {
      const secrets = await stage.admin.listAll(SECRETS, { namespace: stage.namespace });
      return secrets.every(({ metadata }) => !metadata.name.endsWith('-binding'));
    });
  },
  OUTSIDE,
);

scenario(
  'a library that is made anew under its name finds what was kept, and takes it over when told to',
  async (stage) => {
    const qdrant = await annex(stage);
    await stage.createLibrary('docs', 'annex');
    await stage.libraryReady('docs', 1);
    await qdrant.upsert('docs', [{ id: 7, vector: [1, 0, 0, 0, 0, 0, 0, 0], payload: {} }]);
    await deleteLibrary(stage, 'docs');
    await stage.gone('library', 'docs');
    await stage.createLibrary('docs', 'annex');
    await stage.librarySays('docs', 'Ready', { status: 'False', message: /docs.*adopt/ });
    await stage.changeLibrary('docs', { spec: { adopt: true } });
    await stage.libraryReady('docs', 1);
    assert.equal(await qdrant.count('docs', { exact: true }), 1);
  },
  OUTSIDE,
);

scenario(
  'a library is deleted in the middle of its creation, and of a change of generation',
  async (stage) => {
    const qdrant = await annex(stage);
    await stage.createLibrary('early', 'annex', { deletionPolicy: 'Delete' });
    await deleteLibrary(stage, 'early');
    await stage.gone('library', 'early');

    await stage.createLibrary('docs', 'annex', { shards: { number: 1 } });
    await stage.libraryReady('docs', 1);
    await qdrant.upsert('docs', [{ id: 7, vector: [1, 0, 0, 0, 0, 0, 0, 0], payload: {} }]);
    await stage.changeLibrary('docs', { spec: { shards: { number: 2 } } });
    await stage.untilLibrary('docs', ({ status }) => status?.change?.step === 'Copying', 'copying');
    await deleteLibrary(stage, 'docs');
    await stage.gone('library', 'docs');
    assert.deepEqual(await qdrant.collections(), ['docs--g1'], 'what was never active is gone, the data is kept');
    await qdrant.upsert('docs', [{ id: 8, vector: [0, 1, 0, 0, 0, 0, 0, 0], payload: {} }]);
    assert.equal(await qdrant.count('docs', { exact: true }), 2, 'writes are not held back any more');
    await eventually('nothing of the copy is left', async () => {
      const { admin, namespace } = stage;
      const jobs = await admin.listAll(JOBS, { namespace });
      const maps = await admin.listAll(CONFIG_MAPS, { namespace });
      return jobs.length === 0 && maps.every(({ metadata }) => !metadata.name.startsWith('docs-copy'));
    });
  },
  OUTSIDE,
);

scenario(
  'a cluster is deleted in the middle of a scale-out; its volumes go when asked for, libraries hold it',
  async (stage) => {
    await stage.createCluster('desk', { size: 1, deletionPolicy: 'Delete' });
    await stage.clusterReady('desk', 1);
    await stage.createLibrary('docs', 'desk');
    await stage.libraryReady('docs', 1);
    await stage.scale('desk', 2);
    await stage.untilCluster('desk', ({ status }) => status?.operation?.name === 'ScaleOut', 'scaling out');
    await deleteCluster(stage, 'desk');
    await stage.untilCluster(
      'desk',
      ({ status }) => status?.operation?.blockedBy?.some(({ name }) => name === 'no-library-placed') === true,
      'held by its library',
    );
    await deleteLibrary(stage, 'docs');
    await stage.gone('library', 'docs');
    await stage.gone('cluster', 'desk');
    await eventually('nothing of it is left', async () => {
      const { admin, namespace } = stage;
      const left = await Promise.all([
        admin.listAll(STATEFUL_SETS, { namespace }),
        admin.listAll(PODS, { namespace }),
        admin.listAll(PERSISTENT_VOLUME_CLAIMS, { namespace }),
      ]);
      return left.flat().length === 0;
    });
  },
);

scenario(
  'a cluster that is deleted keeps its volumes by default, and one of its name goes on with them',
  async (stage) => {
    await stage.createCluster('desk', { size: 1 });
    const before = await stage.clusterReady('desk', 1);
    const qdrant = await stage.qdrant('desk');
    await qdrant.createCollection('theirs', { vectors: { size: 8, distance: 'Cosine' } });
    await deleteCluster(stage, 'desk');
    await stage.gone('cluster', 'desk');
    await eventually('its pods are gone', async () => {
      return (await stage.admin.listAll(PODS, { namespace: stage.namespace })).length === 0;
    });
    const claims = await stage.admin.listAll(PERSISTENT_VOLUME_CLAIMS, { namespace: stage.namespace });
    assert.deepEqual(
      claims.map(({ metadata }) => metadata.name),
      ['qdrant-storage-desk-0'],
    );
    await stage.createCluster('desk', { size: 1 });
    const after = await stage.clusterReady('desk', 1);
    assert.equal(after.status?.founded?.peerId, before.status?.founded?.peerId, 'the same peer on the same volume');
    assert.deepEqual(await (await stage.qdrant('desk')).collections(), ['theirs']);
  },
);

scenario('a whole namespace is deleted while its library changes: nothing hangs', async (stage) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.createLibrary('docs', 'desk', { shards: { number: 1 } });
  await stage.libraryReady('docs', 1);
  await stage.changeLibrary('docs', { spec: { shards: { number: 2 } } });
  await stage.admin.delete(NAMESPACES, { namespace: '', name: stage.namespace });
  await eventually('the namespace is gone', async () => {
    return (await stage.admin.find(NAMESPACES, { namespace: '', name: stage.namespace })) === undefined;
  });
});
