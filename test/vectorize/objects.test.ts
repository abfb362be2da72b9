import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VectorizationJob } from '../../src/api/index.ts';
import { parseVectorizeConfig } from '../../src/vectorize/config.ts';
import { runName } from '../../src/vectorize/names.ts';
import { runObjects } from '../../src/vectorize/objects.ts';
import type { World } from '../../src/vectorize/world.ts';
import { Sim } from './sim.ts';

const RUN = '0a1b2c3d';

const objectsOf = (spec: Partial<VectorizationJob['spec']> = {}, world: Partial<World> = {}) =>
  runObjects({ ...new Sim(spec).world, ...world }, RUN);

const podOf = ({ job }: ReturnType<typeof objectsOf>) => job.spec?.template.spec;
const configOf = ({ config }: ReturnType<typeof objectsOf>) => parseVectorizeConfig(config.data?.['config.json'] ?? '');

test('the worker understands what it is told, for each kind of source', () => {
  const files = objectsOf({ include: ['**/*.md'], budget: { maxTokens: 9 }, gates: { minSelfRecallPercent: 90 } });
  const config = configOf(files);
  assert.deepEqual(config.source, { kind: 'directory' });
  assert.deepEqual(
    [config.run, config.job.uid, config.progress.name, config.mode, config.budget, config.include],
    [RUN, 'job-uid', 'handbook-vec-progress', 'Incremental', { maxTokens: 9 }, ['**/*.md']],
  );
  assert.deepEqual(config.gates, { minSuccessPercent: 99, minSelfRecallPercent: 90, goldenQueries: false });
  assert.deepEqual(config.target, {
    collection: 'docs',
    uri: 'http://main.team.svc:6333',
    peers: [{ name: 'main-0', rest: 'http://main-0.main-headless.team.svc:6333' }],
  });
  const claim = { persistentVolumeClaim: { claimName: 'manuals', path: 'en/guides' } };
  assert.deepEqual(configOf(objectsOf({ source: claim })).source, { kind: 'directory', below: 'en/guides' });
  const http = { http: { urls: ['https://example.org/a'], credentialsSecretRef: { name: 'web' } } };
  assert.deepEqual(configOf(objectsOf({ source: http })).source, {
    kind: 'http',
    urls: ['https://example.org/a'],
    followLinks: false,
    maxDepth: 3,
    authorization: true,
  });
  const collection = { collection: { clusterRef: { name: 'old' }, name: 'texts', textField: 'body' } };
  const sourceCluster = {
    peers: [{ name: 'old', rest: 'http://old:6333' }],
    apiKey: { name: 'k', key: 'x' },
    ca: undefined,
  };
  assert.deepEqual(configOf(objectsOf({ source: collection }, { sourceCluster })).source, {
    kind: 'collection',
    collection: 'texts',
    peers: [{ name: 'old', rest: 'http://old:6333' }],
    apiKey: true,
    ca: false,
    textField: 'body',
  });
});

test('documents are mounted read-only, and variables lead to every mount', () => {
  const objects = objectsOf({
    source: { persistentVolumeClaim: { claimName: 'manuals' } },
    gates: { goldenQueriesConfigMapRef: { name: 'golden' } },
    embedder: {
      protocol: 'OpenAI',
      url: 'https://llm.example.org',
      model: 'm',
      apiKeySecretRef: { name: 'llm', key: 'token' },
      caSecretRef: { name: 'llm-ca' },
    },
  });
  const pod = podOf(objects);
  const volumes = new Map(pod?.volumes?.map((volume) => [volume.name, volume]));
  assert.deepEqual(volumes.get('documents')?.persistentVolumeClaim, { claimName: 'manuals', readOnly: true });
  assert.equal(volumes.get('binding')?.secret?.secretName, 'docs-binding');
  assert.equal(volumes.get('golden-queries')?.configMap?.name, 'golden');
  assert.deepEqual(volumes.get('embedder-keys')?.projected?.sources, [
    { secret: { name: 'llm', items: [{ key: 'token', path: 'api-key' }] } },
    { secret: { name: 'llm-ca', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
  ]);
  const [container] = pod?.containers ?? [];
  assert.ok(container?.volumeMounts?.every(({ readOnly }) => readOnly === true));
  const paths = new Map(container?.volumeMounts?.map(({ name, mountPath }) => [mountPath, name]));
  const variables = container?.env?.filter(({ name }) => name.startsWith('QDRANT_LIBRARIAN_')) ?? [];
  assert.deepEqual(Object.fromEntries(variables.map(({ name, value = '' }) => [name, paths.get(value)])), {
    QDRANT_LIBRARIAN_BINDING: 'binding',
    QDRANT_LIBRARIAN_DOCUMENTS: 'documents',
    QDRANT_LIBRARIAN_EMBEDDER_KEYS: 'embedder-keys',
    QDRANT_LIBRARIAN_GOLDEN_QUERIES: 'golden-queries',
  });
  assert.deepEqual([configOf(objects).embedder.apiKey, configOf(objects).embedder.ca], [true, true]);
});

test('a worker pulls, logs and traces as the operator does, under restricted pod security', () => {
  const { settings } = new Sim().world;
  const environment = { QDRANT_LIBRARIAN_LOG_LEVEL: 'debug', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  const pod = podOf(
    objectsOf({}, { settings: { ...settings, workerPullSecrets: ['registry'], workerEnvironment: environment } }),
  );
  assert.deepEqual(pod?.imagePullSecrets, [{ name: 'registry' }]);
  const values = Object.fromEntries((pod?.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
  assert.deepEqual({ ...values, ...environment }, values);
  assert.equal(pod?.securityContext?.runAsNonRoot, true);
  assert.equal(pod?.securityContext?.seccompProfile?.type, 'RuntimeDefault');
  assert.deepEqual(pod?.containers[0]?.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

test('further threads that cut have memory of their own', () => {
  const limitOf = (objects: ReturnType<typeof objectsOf>) =>
    podOf(objects)?.containers[0]?.resources?.limits?.['memory'];
  assert.equal(limitOf(objectsOf()), '1Gi');
  const wide = objectsOf({ parallelism: 4 });
  assert.equal(limitOf(wide), '2176Mi');
  assert.equal(configOf(wide).threads, 4);
});

test('a worker may read and patch its own progress, and everything is owned by the job', () => {
  const objects = objectsOf();
  assert.deepEqual(objects.role.rules, [
    { apiGroups: [''], resources: ['configmaps'], resourceNames: ['handbook-vec-progress'], verbs: ['get', 'patch'] },
  ]);
  assert.equal(objects.progress.data, undefined);
  for (const { metadata } of Object.values(objects)) {
    assert.equal(metadata.ownerReferences?.[0]?.uid, 'job-uid');
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'qdrant-librarian');
  }
  assert.equal(runName('x'.repeat(50), RUN).length, 63, "a Job's name is a label of its pods");
});
