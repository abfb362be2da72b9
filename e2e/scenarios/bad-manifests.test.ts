import assert from 'node:assert/strict';
import { VECTORIZATION_JOBS } from '../../sandbox/run/wait.ts';
import { API_VERSION, type VectorizationJob } from '../../src/api/index.ts';
import { KubeError } from '../../src/kube/index.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';
import { type Stage, says } from '../stage/stage.ts';

const scenario = await scenarios();

type Answer = { readonly status: number; readonly message: string };

/** What the API server says to a manifest, strictly checked, as kubectl asks for. */
async function answerTo(stage: Stage, plural: string, object: object): Promise<Answer> {
  const path = `/apis/${API_VERSION}/namespaces/${stage.namespace}/${plural}?fieldValidation=Strict`;
  const { status, text } = await stage.admin.raw('POST', path, { body: { apiVersion: API_VERSION, ...object } });
  return { status, message: String((JSON.parse(text) as { message?: string }).message ?? '') };
}

const cluster = (spec: object) => ({ kind: 'QdrantCluster', metadata: { name: 'desk' }, spec });
const library = (spec: object) => ({
  kind: 'DomainLibrary',
  metadata: { name: 'docs' },
  spec: { domain: 'docs', placement: { clusterRef: { name: 'desk' } }, ...spec },
});

scenario('a manifest that breaks a rule is refused, and the answer names field, value and rule', async (stage) => {
  const cases: { plural: string; object: object; names: RegExp }[] = [
    {
      plural: 'qdrantclusters',
      object: cluster({ version: '1.18.3', size: 1, sise: 3 }),
      names: /unknown field "spec\.sise"/,
    },
    {
      plural: 'qdrantclusters',
      object: cluster({ version: '1.18.3', size: 0 }),
      names: /spec\.size.*0.*greater than or equal to 1/,
    },
    {
      plural: 'qdrantclusters',
      object: cluster({ version: '1.18.3', size: 1, persistence: { size: '10 GB' } }),
      names: /spec\.persistence\.size.*10 GB/,
    },
    {
      plural: 'qdrantclusters',
      object: cluster({ external: { url: 'http://q.example:6333' }, size: 3 }),
      names: /size may not be specified when external is set/,
    },
    {
      plural: 'qdrantclusters',
      object: cluster({ version: '1.18.3', size: 1, config: { service: { api_key: 'open' } } }),
      names: /service\.api_key may not be specified.*Secrets/,
    },
    { plural: 'qdrantclusters', object: cluster({ size: 1 }), names: /version must be specified/ },
    {
      plural: 'domainlibraries',
      object: library({ vectors: [{ name: '', size: 'big', distance: 'Cosine' }] }),
      names: /spec\.vectors\[0\]\.size.*integer/,
    },
    {
      plural: 'domainlibraries',
      object: library({ vectors: [{ name: '', size: 8, distance: 'Far' }] }),
      names: /spec\.vectors\[0\]\.distance.*"Far".*supported values.*Cosine/,
    },
    {
      plural: 'domainlibraries',
      object: library({ placement: { clusterRef: { name: 'a' }, clusterSelector: {} } }),
      names: /spec\.placement.*clusterRef.*clusterSelector/,
    },
  ];
  for (const { plural, object, names } of cases) {
    const { status, message } = await answerTo(stage, plural, object);
    assert.ok([400, 422].includes(status), `${status} ${message}`);
    assert.match(message, names);
  }
});

scenario('what can not be changed is refused when it is tried', async (stage) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.createLibrary('docs', 'desk', { collection: 'manuals' });
  const refused = (message: RegExp) => (error: unknown) =>
    error instanceof KubeError && error.status === 422 && message.test(error.message);
  await assert.rejects(
    stage.changeLibrary('docs', { spec: { collection: 'books' } }),
    refused(/collection.*immutable|can't be changed/),
  );
  await assert.rejects(
    stage.changeCluster('desk', { spec: { persistence: { size: '1Mi' } } }),
    refused(/may grow, never shrink/),
  );
  await assert.rejects(
    stage.changeCluster('desk', { spec: { external: { url: 'http://q.example:6333' } } }),
    refused(/external can't be added or removed/),
  );
});

scenario('a library whose cluster does not exist waits for it, and is made when it appears', async (stage) => {
  await stage.createLibrary('docs', 'desk');
  await stage.librarySays('docs', 'Ready', { status: 'False', reason: 'ClusterNotFound', message: /desk/ });
  await stage.createCluster('desk', { size: 1 });
  await stage.libraryReady('docs', 1);
});

scenario('a key Secret that a cluster names may come later; an empty one is no key', async (stage) => {
  await stage.createCluster('desk', { size: 1, apiKey: { secretKeyRef: { name: 'own-key', key: 'api-key' } } });
  await stage.clusterSays('desk', 'Ready', { status: 'False', reason: 'SecretNotFound', message: /own-key/ });
  await stage.putSecret('own-key', { other: 'x' });
  await stage.clusterSays('desk', 'Ready', {
    status: 'False',
    reason: 'SecretKeyMissing',
    message: /own-key.*api-key/,
  });
  await stage.putSecret('own-key', { 'api-key': '' });
  await stage.clusterSays('desk', 'Ready', { status: 'False', reason: 'SecretEmpty', message: /own-key/ });
  await stage.putSecret('own-key', { 'api-key': 'a-key-of-the-user' });
  await stage.clusterReady('desk', 1);
});

scenario('fields that nothing acts on yet are named in a condition, and only while they are set', async (stage) => {
  await stage.createCluster('desk', { size: 1, keyRotation: { intervalDays: 30 }, rebalanceStrategy: 'by_load' });
  const unbuilt = { status: 'True', reason: 'NotBuilt' };
  await stage.clusterSays('desk', 'FieldsNotActedOn', {
    ...unbuilt,
    message: /spec\.keyRotation.*spec\.rebalanceStrategy/,
  });
  await stage.eventSays('desk', 'NotBuilt');
  await stage.createLibrary('docs', 'desk', { tuning: { mode: 'Recommend' } });
  await stage.librarySays('docs', 'FieldsNotActedOn', { ...unbuilt, message: /spec\.tuning/ });
  await stage.changeCluster('desk', { spec: { keyRotation: null, rebalanceStrategy: null } });
  await stage.changeLibrary('docs', { spec: { tuning: null } });
  const free = (object: Parameters<typeof says>[0]): boolean => !says(object, 'FieldsNotActedOn', {});
  await stage.untilCluster('desk', free, 'without FieldsNotActedOn');
  await stage.untilLibrary('docs', free, 'without FieldsNotActedOn');
  await stage.libraryReady('docs', 1);
});

scenario('a source of documents that is not built is refused by name, and a library may come later', async (stage) => {
  const spec = {
    source: { git: { url: 'https://git.example/pages.git' } },
    embedder: { protocol: 'Ollama', url: 'http://embedder.example:11434', model: 'm', dimensions: 8 },
    target: { libraryRef: { name: 'docs' } },
  };
  const object = { apiVersion: API_VERSION, kind: 'VectorizationJob', metadata: stage.key('pages'), spec };
  await stage.admin.create(VECTORIZATION_JOBS, object as VectorizationJob);
  const saying = async (reason: string, message: RegExp): Promise<void> =>
    eventually(`VectorizationJob pages says ${reason}`, async () => {
      const found = await stage.admin.get(VECTORIZATION_JOBS, stage.key('pages'));
      return says(found, 'Ready', { status: 'False', reason, message });
    });
  await saying('NotBuilt', /^spec\.source\.git: /);
  const source = { git: null, configMap: { name: 'pages' } };
  await stage.admin.patch(VECTORIZATION_JOBS, stage.key('pages'), { spec: { source } }, { type: 'merge' });
  await saying('LibraryNotFound', /^spec\.target\.libraryRef\.name: "docs": /);
});

scenario('nothing is done to what is suspended, until it is not any more', async (stage) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.createLibrary('docs', 'desk');
  await stage.libraryReady('docs', 1);
  await stage.changeCluster('desk', { spec: { suspend: true, size: 2 } });
  // Else it would stay when the scenario fails, and its namespace with it.
  stage.defer(() => stage.changeCluster('desk', { spec: { suspend: false } }));
  await stage.changeLibrary('docs', { spec: { suspend: true, hnsw: { m: 32 } } });
  await stage.clusterSays('desk', 'Suspended', { status: 'True', message: /changes are pending/ });
  await stage.librarySays('docs', 'Suspended', { status: 'True' });
  assert.equal((await stage.cluster('desk')).status?.replicas, 1);
  const qdrant = await stage.qdrant('desk');
  assert.notEqual((await qdrant.peer('desk-0').collection('docs')).config.hnsw_config.m, 32);

  await stage.changeCluster('desk', { spec: { suspend: false } });
  await stage.changeLibrary('docs', { spec: { suspend: false } });
  await stage.clusterReady('desk', 2);
  await eventually('the change in place is made', async () => {
    return (await qdrant.peer('desk-0').collection('docs')).config.hnsw_config.m === 32;
  });
  await stage.libraryReady('docs', 1);
});
