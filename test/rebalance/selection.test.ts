import assert from 'node:assert/strict';
import { test } from 'node:test';
import { API_VERSION, type DomainLibrary, type QdrantCluster, type RebalancePolicy } from '../../src/api/index.ts';
import { capacityOfCluster } from '../../src/rebalance/capacity.ts';
import { select } from '../../src/rebalance/selection.ts';

const policy = (
  name: string,
  spec: RebalancePolicy['spec'] = {},
  creationTimestamp = '2026-01-01T00:00:00Z',
): RebalancePolicy => ({
  apiVersion: API_VERSION,
  kind: 'RebalancePolicy',
  metadata: { name, creationTimestamp },
  spec,
});
const library = (name: string, labels: Record<string, string> = {}): DomainLibrary =>
  ({ apiVersion: API_VERSION, kind: 'DomainLibrary', metadata: { name, labels }, spec: {} }) as DomainLibrary;
const cluster = (spec: object, name = 'a', labels: Record<string, string> = {}): QdrantCluster =>
  ({ apiVersion: API_VERSION, kind: 'QdrantCluster', metadata: { name, labels }, spec }) as QdrantCluster;

const claims = (mine: RebalancePolicy, ...others: RebalancePolicy[]) =>
  select(mine, { clusters: [], libraries: [library('docs')], policies: [mine, ...others] }).claimed;

test('a library belongs to the older of two policies; of one age, to the first by name', () => {
  const [old, young] = [policy('z'), policy('a', {}, '2026-01-02T00:00:00Z')];
  assert.deepEqual(claims(old, young), []);
  assert.deepEqual(claims(young, old), [{ library: 'docs', policy: 'z' }]);
  assert.deepEqual(claims(policy('b'), policy('a')), [{ library: 'docs', policy: 'a' }]);
  assert.deepEqual(claims(policy('a'), policy('b')), []);
});

test('a policy that is suspended, only observes, goes away or chooses others is in nobody’s way', () => {
  const young = policy('young', {}, '2026-02-01T00:00:00Z');
  assert.deepEqual(claims(young, policy('old', { suspend: true })), []);
  assert.deepEqual(claims(young, policy('old', { mode: 'Observe' })), []);
  assert.deepEqual(claims(young, policy('old', { librarySelector: { matchLabels: { a: 'b' } } })), []);
  const going = policy('old');
  going.metadata.deletionTimestamp = '2026-02-02T00:00:00Z';
  assert.deepEqual(claims(young, going), []);
  assert.deepEqual(claims({ ...young, spec: { mode: 'Observe' } }, policy('old')), []);
});

test('selectors choose by labels, and everything where there is none; what goes away takes no part', () => {
  const going = cluster({}, 'going', { tier: 'hot' });
  going.metadata.deletionTimestamp = '2026-02-02T00:00:00Z';
  const candidates = {
    clusters: [cluster({}, 'b', { tier: 'hot' }), cluster({}, 'a'), going],
    libraries: [library('docs', { team: 'one' }), library('code')],
    policies: [],
  };
  const all = select(policy('p'), candidates);
  assert.deepEqual(
    all.clusters.map(({ metadata }) => metadata.name),
    ['a', 'b'],
  );
  assert.deepEqual(
    all.libraries.map(({ metadata }) => metadata.name),
    ['code', 'docs'],
  );
  const some = select(
    policy('p', {
      clusterSelector: { matchLabels: { tier: 'hot' } },
      librarySelector: { matchLabels: { team: 'one' } },
    }),
    candidates,
  );
  assert.deepEqual(
    some.clusters.map(({ metadata }) => metadata.name),
    ['b'],
  );
  assert.deepEqual(
    some.libraries.map(({ metadata }) => metadata.name),
    ['docs'],
  );
});

const GIB = 1024 ** 3;
const machine = { cores: 8, memoryBytes: 32 * GIB, diskBytes: 500 * GIB };

test('the spec of a managed cluster counts before the machine: limits, then requests, for each peer', () => {
  const spec = {
    resources: { limits: { memory: '2Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
    persistence: { size: '10Gi' },
  };
  assert.deepEqual(capacityOfCluster(cluster(spec), [machine, undefined]), {
    cores: 1,
    memoryBytes: 4 * GIB,
    diskBytes: 20 * GIB,
  });
});

test('what the spec leaves open is what the machine has, and unknown where a peer does not tell', () => {
  const spec = { persistence: { size: '10Gi' } };
  assert.deepEqual(capacityOfCluster(cluster(spec), [machine]), { ...machine, diskBytes: 10 * GIB });
  assert.equal(capacityOfCluster(cluster(spec), [machine, undefined]), undefined);
  assert.equal(capacityOfCluster(cluster({ external: { url: 'http://x' }, ...spec }), [undefined]), undefined);
  assert.deepEqual(capacityOfCluster(cluster({ external: { url: 'http://x' } }), [machine]), machine);
  assert.equal(capacityOfCluster(cluster({}), []), undefined);
});
