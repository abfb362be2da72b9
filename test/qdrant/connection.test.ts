import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { QdrantCluster } from '../../src/api/index.ts';
import { addsVectors, type ConnectionSource, connectionOf, supportedVersion } from '../../src/qdrant/index.ts';

const managed: ConnectionSource = { metadata: { name: 'docs', namespace: 'team-a' }, spec: { size: 2 } };
const secrets: Record<string, Record<string, string>> = {
  'docs-apikey': { 'api-key': 'full', 'read-only-api-key': 'reading' },
  cloud: { token: 'cloudy', 'api-key': 'plain', empty: '', broken: 'a\n' },
  certificates: { 'ca.crt': 'PEM' },
};
const lookup = (name: string) => secrets[name];
const external = (spec: Partial<NonNullable<ConnectionSource['spec']['external']>> = {}): ConnectionSource => ({
  metadata: managed.metadata,
  spec: { external: { url: 'https://x.cloud.qdrant.io:6333', ...spec } },
});

// The API's own type fits: a compiler's test.
const fits: ConnectionSource = {} as QdrantCluster;
assert.ok(fits);

test('a managed cluster is reached peer by peer, by names of its headless Service', () => {
  const result = connectionOf(managed, lookup);
  assert.ok(result.ok);
  assert.deepEqual(result.connection, {
    apiKey: 'full',
    peers: [0, 1].map((ordinal) => ({
      name: `docs-${ordinal}`,
      rest: `http://docs-${ordinal}.docs-headless.team-a.svc:6333`,
      grpc: `http://docs-${ordinal}.docs-headless.team-a.svc:6334`,
    })),
  });
  assert.match(result.key, /^team-a\/docs#[0-9a-f]{16}$/);
});

test('a peer that leaves is asked until it has left', () => {
  const result = connectionOf({ ...managed, status: { peers: [{ ordinal: 0 }, { ordinal: 3 }, {}] } }, lookup);
  assert.equal(result.ok && result.connection.peers.length, 4);
});

test('a peer that was removed is not asked', () => {
  const peers = [{ ordinal: 0 }, { ordinal: 1 }, { ordinal: 2, state: 'Removed' }];
  const result = connectionOf({ ...managed, status: { peers } }, lookup);
  assert.deepEqual(result.ok && result.connection.peers.map(({ name }) => name), ['docs-0', 'docs-1']);
});

test('a managed cluster is reached by plain HTTP whatever its spec says of TLS, which is not built', () => {
  const spec = { size: 1, tls: { secretName: 'gone' } };
  assert.deepEqual(connectionOf({ ...managed, spec }, lookup), connectionOf({ ...managed, spec: { size: 1 } }, lookup));
  const result = connectionOf({ ...managed, spec }, lookup);
  assert.ok(result.ok && result.connection.tls === undefined);
  assert.ok(result.connection.peers.every(({ rest, grpc }) => rest.startsWith('http:') && grpc?.startsWith('http:')));
});

test('the key may come from a Secret of the user, and the reading key is used when preferred and there', () => {
  const own = connectionOf({ ...managed, spec: { apiKey: { secretKeyRef: { name: 'cloud', key: 'token' } } } }, lookup);
  assert.equal(own.ok && own.connection.apiKey, 'cloudy');
  const reading = connectionOf(managed, lookup, { preferReadOnly: true });
  assert.equal(reading.ok && reading.connection.apiKey, 'reading');
  const none = connectionOf(managed, () => ({ 'api-key': 'full' }), { preferReadOnly: true });
  assert.equal(none.ok && none.connection.apiKey, 'full');
});

test('an external cluster is reached by its URL, with the key and the CA it names, or without', () => {
  const open = connectionOf(external(), lookup);
  assert.deepEqual(open.ok && open.connection, {
    peers: [{ name: 'x.cloud.qdrant.io:6333', rest: 'https://x.cloud.qdrant.io:6333' }],
  });
  const closed = connectionOf(
    external({ apiKeySecretRef: { name: 'cloud' }, caSecretRef: { name: 'certificates' } }),
    lookup,
  );
  assert.ok(closed.ok);
  assert.equal(closed.connection.apiKey, 'plain');
  assert.deepEqual(closed.connection.tls, { ca: 'PEM' });
});

test('what is missing is refused by a reason and by name', () => {
  const refusal = (source: ConnectionSource) => {
    const result = connectionOf(source, lookup);
    return result.ok ? undefined : [result.reason, result.message];
  };
  const key = (name: string, entry?: string) =>
    external({ apiKeySecretRef: { name, ...(entry === undefined ? {} : { key: entry }) } });
  assert.deepEqual(refusal(key('absent')), ['SecretNotFound', 'there is no Secret absent']);
  assert.deepEqual(refusal(key('cloud', 'other')), ['SecretKeyMissing', 'Secret cloud has no key other']);
  assert.deepEqual(refusal(key('cloud', 'empty')), ['SecretEmpty', 'key empty of Secret cloud is empty']);
  assert.equal(refusal(key('cloud', 'broken'))?.[0], 'SecretInvalid');
  assert.equal(refusal(external({ caSecretRef: { name: 'cloud' } }))?.[0], 'SecretKeyMissing');
  assert.equal(refusal(external({ url: 'ftp://x' }))?.[0], 'UrlInvalid');
  assert.equal(refusal(external({ url: 'https://user:pass@x:6333' }))?.[0], 'UrlInvalid');
  assert.equal(refusal(external({ url: 'x' }))?.[0], 'UrlInvalid');
});

test('the key of the cache changes with a credential and shows none', () => {
  const keyOf = (apiKey: string) => {
    const result = connectionOf(managed, () => ({ 'api-key': apiKey }));
    return result.ok ? result.key : '';
  };
  assert.equal(keyOf('first'), keyOf('first'));
  assert.notEqual(keyOf('first'), keyOf('second'));
  assert.doesNotMatch(keyOf('first'), /first/);
});

test('versions 1.16 to 1.19 are supported, older are refused, newer are told', () => {
  const kinds = [
    '1.15.9',
    '0.11.0',
    '1.16.0',
    '1.19.2',
    '1.19.0-dev',
    '1.20.0',
    '2.0.0',
    'v1.18.3',
    'nonsense',
    '',
  ].map((version) => supportedVersion(version).kind);
  assert.deepEqual(kinds, [
    'older',
    'older',
    'supported',
    'supported',
    'supported',
    'newer',
    'newer',
    'supported',
    'unreadable',
    'unreadable',
  ]);
});

test('vectors can be added since 1.18, and not where the version says nothing', () => {
  const versions = ['1.16.3', '1.17.1', '1.18.0', 'v1.19.0-dev', '2.0.0', '0.18.0', 'nonsense', ''];
  assert.deepEqual(versions.map(addsVectors), [false, false, true, true, true, false, false, false]);
});
