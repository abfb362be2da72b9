import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptOf, jobName } from '../../src/library/names.ts';
import { copyObjects } from '../../src/library/objects.ts';
import { parseConfig } from '../../src/migration/config.ts';
import { cluster, library } from './sim.ts';

const end = (collection: string, spec: object) => ({
  cluster: cluster(spec),
  peers: [{ name: 'main-0', rest: 'http://main-0:6333', grpc: 'http://main-0:6334' }],
  collection,
});

const plan = (spec: object = {}, targetSpec: object = spec) => ({
  library: library(),
  source: end('docs--g1', spec),
  target: end('docs--g2', targetSpec),
  generation: 2,
  attempt: 3,
  projection: { vectors: { '': { normalize: true } }, keepShardKeys: false },
  maxFreezeSeconds: 20,
  image: 'qdrant-librarian:1',
});

test('a worker reads under the fence what the policy wants to be read', () => {
  const told = (verify?: 'Changed' | 'Full') =>
    parseConfig(copyObjects({ ...plan(), verify }).config.data?.['config.json'] ?? '').verify;
  assert.deepEqual([told('Full'), told('Changed'), told()], ['Full', 'Changed', undefined]);
});

test('a worker pulls, logs and traces as the operator does', () => {
  const environment = { QDRANT_LIBRARIAN_LOG_LEVEL: 'debug', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
  const { job } = copyObjects({ ...plan(), pullSecrets: ['registry', 'mirror'], environment });
  const pod = job.spec?.template.spec;
  assert.deepEqual(pod?.imagePullSecrets, [{ name: 'registry' }, { name: 'mirror' }]);
  const values = Object.fromEntries((pod?.containers[0]?.env ?? []).map(({ name, value }) => [name, value]));
  assert.deepEqual({ ...values, ...environment }, values);
  assert.equal(copyObjects(plan()).job.spec?.template.spec?.imagePullSecrets, undefined);
});

test('a worker may read and patch its own progress, and nothing else', () => {
  const { role, roleBinding, account, progress, job } = copyObjects(plan());
  assert.deepEqual(role.rules, [
    { apiGroups: [''], resources: ['configmaps'], resourceNames: ['docs-copy-g2-progress'], verbs: ['get', 'patch'] },
  ]);
  assert.equal(roleBinding.subjects?.[0]?.name, account.metadata.name);
  assert.equal(progress.metadata.name, 'docs-copy-g2-progress');
  assert.equal(progress.data, undefined);
  assert.equal(job.spec?.template.spec?.serviceAccountName, account.metadata.name);
});

test('everything is owned by the library and selected by no Service of a cluster', () => {
  for (const { metadata } of Object.values(copyObjects(plan()))) {
    assert.equal(metadata.ownerReferences?.[0]?.uid, 'library-uid');
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'qdrant-librarian');
    assert.notEqual(metadata.labels?.['app.kubernetes.io/name'], 'qdrant');
  }
});

test('keys come as mounted files only: no key stands in arguments, environment or configuration', () => {
  const { job, config } = copyObjects(plan());
  const pod = job.spec?.template.spec;
  const [container] = pod?.containers ?? [];
  assert.deepEqual(container?.args, ['worker', 'copy', '--config', '/etc/qdrant-librarian/worker/config.json']);
  assert.ok(container?.env?.every(({ valueFrom }) => valueFrom?.secretKeyRef === undefined));
  assert.deepEqual(
    pod?.volumes?.map(({ name }) => name),
    ['config', 'source-keys', 'target-keys'],
  );
  assert.deepEqual(pod?.volumes?.[1]?.projected?.sources, [
    { secret: { name: 'main-apikey', items: [{ key: 'api-key', path: 'api-key' }] } },
  ]);
  const parsed = parseConfig(config.data?.['config.json'] ?? '');
  assert.equal(parsed.change, 'library-uid/2');
  assert.deepEqual(
    [parsed.source.collection, parsed.target.collection, parsed.source.apiKey, parsed.source.ca],
    ['docs--g1', 'docs--g2', true, false],
  );
});

test('a page of a copy is never larger than Qdrant answers', () => {
  const sizes = (pageLimit?: number) => {
    const { pageSize, listSize } = parseConfig(
      copyObjects({ ...plan(), pageLimit }).config.data?.['config.json'] ?? '',
    );
    return [pageSize, listSize];
  };
  assert.deepEqual(
    [sizes(), sizes(10_000), sizes(50)],
    [
      [512, undefined],
      [512, 4000],
      [50, 50],
    ],
  );
});

test('a cluster without key has nothing mounted', () => {
  const { job } = copyObjects(plan({ spec: { external: { url: 'http://x' } } }));
  assert.deepEqual(
    job.spec?.template.spec?.volumes?.map(({ name }) => name),
    ['config'],
  );
});

test('the pod is restricted, and no second one begins before the first has ended', () => {
  const { job } = copyObjects(plan());
  const pod = job.spec?.template.spec;
  assert.equal(pod?.securityContext?.runAsNonRoot, true);
  assert.equal(pod?.containers[0]?.securityContext?.readOnlyRootFilesystem, true);
  assert.equal(job.spec?.podReplacementPolicy, 'Failed');
  assert.equal(pod?.restartPolicy, 'Never');
});

test('a name tells the attempt, and the longest library name still makes valid ones', () => {
  assert.equal(attemptOf(jobName('docs', 2, 13)), 13);
  assert.equal(attemptOf('other'), 0);
  assert.ok(jobName('x'.repeat(50), 1_000_000, 10).length <= 63);
});
