import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyDefaults, type QdrantClusterSpec } from '../../src/api/index.ts';
import { keysSecret } from '../../src/cluster/objects/secret.ts';
import { wantedObjects } from '../../src/cluster/objects.ts';
import type { StatefulSetFacts } from '../../src/cluster/world.ts';
import type { NetworkPolicy, PodDisruptionBudget, Service, StatefulSet } from '../../src/kube/index.ts';
import { clusterObject } from './builders.ts';

const FOUNDED = { founded: { at: '2026-01-01T00:00:00Z', peerId: 1 } };

function objects(spec: Partial<QdrantClusterSpec> = {}, live?: StatefulSetFacts, evictable = true) {
  const cluster = applyDefaults(clusterObject({ spec, status: live === undefined ? {} : FOUNDED }));
  const announced = { founder: 'docs-0', members: [] };
  const all = wantedObjects(cluster, { replicas: 3, announced, evictable, live });
  const find = (kind: string, name = 'docs') =>
    all.find((object) => object.kind === kind && object.metadata.name === name);
  const set = find('StatefulSet') as StatefulSet;
  const pod = set.spec?.template.spec;
  const [container] = pod?.containers ?? [];
  assert.ok(pod !== undefined && container !== undefined);
  return { all, find, set, pod, container };
}

const template = (spec: Partial<QdrantClusterSpec> = {}) =>
  objects(spec).set.spec?.template.metadata?.annotations?.['qdrant-librarian.io/template-digest'];

test('a managed cluster is made of these objects, the pods last', () => {
  assert.deepEqual(
    objects().all.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
    [
      'ConfigMap/docs-config',
      'ConfigMap/docs-peers',
      'Service/docs-headless',
      'Service/docs',
      'PodDisruptionBudget/docs',
      'NetworkPolicy/docs',
      'StatefulSet/docs',
    ],
  );
});

test('each belongs to its cluster, by label and by owner', () => {
  for (const { metadata } of objects().all) {
    assert.equal(metadata.labels?.['qdrant-librarian.io/cluster'], 'docs');
    assert.equal(metadata.labels?.['app.kubernetes.io/managed-by'], 'qdrant-librarian');
    assert.deepEqual(
      metadata.ownerReferences?.map(({ uid, controller }) => [uid, controller]),
      [['uid-docs', true]],
    );
    assert.match(metadata.annotations?.['qdrant-librarian.io/desired-digest'] ?? '', /^[0-9a-f]{32}$/);
  }
});

test('only the operator stops a pod, and pods start together', () => {
  const { set } = objects();
  assert.deepEqual(set.spec?.updateStrategy, { type: 'OnDelete' });
  assert.equal(set.spec?.podManagementPolicy, 'Parallel');
  assert.equal(set.spec?.serviceName, 'docs-headless');
});

test('pods are restricted: not root, read-only, no privileges, no token', () => {
  const { pod, container } = objects();
  assert.equal(pod.securityContext?.runAsNonRoot, true);
  assert.equal(pod.securityContext?.seccompProfile?.type, 'RuntimeDefault');
  assert.equal(pod.automountServiceAccountToken, false);
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

test('a pod has more than the 30 s that a busy client keeps Qdrant alive (S5)', () => {
  assert.ok((objects().pod.terminationGracePeriodSeconds ?? 0) >= 40);
});

test('a slow start or a long recovery never gets a pod killed', () => {
  const { startupProbe, livenessProbe, readinessProbe } = objects().container;
  assert.equal(startupProbe?.httpGet?.path, '/livez');
  assert.ok((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0) >= 1800);
  assert.ok((livenessProbe?.periodSeconds ?? 0) * (livenessProbe?.failureThreshold ?? 0) >= 120);
  assert.equal(readinessProbe?.httpGet?.path, '/readyz');
  for (const probe of [startupProbe, livenessProbe, readinessProbe]) assert.ok((probe?.timeoutSeconds ?? 0) >= 2);
});

test('keys come from Secrets and stand nowhere else', () => {
  const { container } = objects({ apiKey: { secretKeyRef: { name: 'mine', key: 'k' } } });
  const key = (name: string) => container.env?.find((variable) => variable.name === name);
  assert.deepEqual(key('QDRANT__SERVICE__API_KEY')?.valueFrom?.secretKeyRef, { name: 'mine', key: 'k' });
  assert.deepEqual(key('QDRANT__SERVICE__READ_ONLY_API_KEY')?.valueFrom?.secretKeyRef, {
    name: 'docs-apikey',
    key: 'read-only-api-key',
  });
});

test('the Secret holds only keys that nobody gave', () => {
  const secret = (spec: Partial<QdrantClusterSpec>) =>
    keysSecret(applyDefaults(clusterObject({ spec })), () => 'random').data;
  const random = Buffer.from('random').toString('base64');
  assert.deepEqual(secret({}), { 'api-key': random, 'read-only-api-key': random });
  assert.deepEqual(secret({ apiKey: { secretKeyRef: { name: 'mine' } } }), { 'read-only-api-key': random });
});

test('clients reach serving pods only; peers reach each other also before they are ready', () => {
  const { find } = objects();
  const client = find('Service') as Service;
  const headless = find('Service', 'docs-headless') as Service;
  assert.equal(client.spec?.selector?.['qdrant-librarian.io/serving'], 'true');
  assert.deepEqual(
    client.spec?.ports?.map(({ port }) => port),
    [6333, 6334],
  );
  assert.equal(headless.spec?.publishNotReadyAddresses, true);
  assert.equal(headless.spec?.selector?.['qdrant-librarian.io/serving'], undefined);
});

test('the peer port is open to peers only; REST, too, between peers, for shards travel over it', () => {
  const policy = objects({ networkPolicy: { from: [{ podSelector: { matchLabels: { app: 'shop' } } }] } }).find(
    'NetworkPolicy',
  ) as NetworkPolicy;
  const [peers, clients] = policy.spec?.ingress ?? [];
  assert.deepEqual(
    peers?.ports?.map(({ port }) => port),
    [6333, 6334, 6335],
  );
  assert.deepEqual(
    clients?.ports?.map(({ port }) => port),
    [6333, 6334],
  );
  assert.ok(JSON.stringify(clients?.from).includes('qdrant-librarian'), 'the operator gets in');
});

test('budget and policy can be turned off', () => {
  const { find } = objects({ podDisruptionBudget: { enabled: false }, networkPolicy: { enabled: false } });
  assert.equal(find('PodDisruptionBudget'), undefined);
  assert.equal(find('NetworkPolicy'), undefined);
  const budget = objects({ podDisruptionBudget: { maxUnavailable: 2 } }).find(
    'PodDisruptionBudget',
  ) as PodDisruptionBudget;
  assert.equal(budget.spec?.maxUnavailable, 2);
});

test('while pods are not evictable the budget lets none go, whatever the spec allows', () => {
  const { find } = objects({ podDisruptionBudget: { maxUnavailable: 2 } }, undefined, false);
  assert.equal((find('PodDisruptionBudget') as PodDisruptionBudget).spec?.maxUnavailable, 0);
});

test('configuration is passed through, and a change of it changes the pods', () => {
  const config = { log_level: 'INFO', storage: { performance: { max_search_threads: 2 } } };
  const map = objects({ config }).all.find(({ metadata }) => metadata.name === 'docs-config');
  assert.equal(
    map?.kind === 'ConfigMap' ? map.data?.['config.yaml'] : '',
    'log_level: INFO\nstorage:\n  performance:\n    max_search_threads: 2\n',
  );
  assert.notEqual(template({ config }), template());
  assert.equal(template({ config: { a: 1, b: 2 } }), template({ config: { b: 2, a: 1 } }));
});

test('what concerns no pod changes no pod', () => {
  const same: Partial<QdrantClusterSpec>[] = [
    { size: 5 },
    { service: { type: 'NodePort' } },
    { deletionPolicy: 'Delete' },
    { suspend: true },
    { podDisruptionBudget: { enabled: false } },
  ];
  for (const spec of same) assert.equal(template(spec), template(), JSON.stringify(spec));
  const other: Partial<QdrantClusterSpec>[] = [
    { resources: { limits: { cpu: '1' } } },
    { jwtRbac: true },
    { nodeSelector: { a: 'b' } },
    { priorityClassName: 'high' },
  ];
  for (const spec of other) assert.notEqual(template(spec), template(), JSON.stringify(spec));
});

test('what Kubernetes or Qdrant would not let us change stays as it runs', () => {
  const live = {
    replicas: 3,
    image: 'qdrant/qdrant:v1.17.0',
    claims: [{ name: 'qdrant-storage', size: '1Gi', storageClassName: 'fast' }],
  };
  const { set, container } = objects({ version: '1.18.3', persistence: { size: '20Gi' } }, live);
  assert.equal(container.image, 'qdrant/qdrant:v1.17.0');
  const [claim] = set.spec?.volumeClaimTemplates ?? [];
  assert.deepEqual([claim?.spec?.resources?.requests?.['storage'], claim?.spec?.storageClassName], ['1Gi', 'fast']);
});

test('snapshots get a volume of their own when asked', () => {
  const { set, pod } = objects({ snapshotPersistence: { enabled: true, size: '5Gi' } });
  assert.deepEqual(
    set.spec?.volumeClaimTemplates?.map(({ metadata }) => metadata?.name),
    ['qdrant-storage', 'qdrant-snapshots'],
  );
  assert.ok(!pod.volumes?.some(({ name }) => name === 'qdrant-snapshots'));
  assert.ok(objects().pod.volumes?.some(({ name, emptyDir }) => name === 'qdrant-snapshots' && emptyDir !== undefined));
});

test('starting pods are told who may found the cluster and who lives', () => {
  const cluster = applyDefaults(clusterObject());
  const peers = (founder: string | undefined, members: string[]) =>
    wantedObjects(cluster, { replicas: 1, announced: { founder, members }, evictable: true, live: undefined }).find(
      ({ metadata }) => metadata.name === 'docs-peers',
    );
  const data = (object: ReturnType<typeof peers>) => (object?.kind === 'ConfigMap' ? object.data : undefined);
  assert.deepEqual(data(peers('docs-0', [])), { founder: 'docs-0', members: '' });
  assert.deepEqual(data(peers(undefined, ['http://a/', 'http://b/'])), { members: 'http://a/\nhttp://b/\n' });
});

test('the same cluster gives the same objects, byte by byte', () => {
  assert.equal(JSON.stringify(objects().all), JSON.stringify(objects().all));
});
