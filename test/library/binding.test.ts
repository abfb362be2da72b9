import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bindingData, bindingSecret, bindingState } from '../../src/library/binding.ts';
import { mountedSecrets, secretLookup, secretNames } from '../../src/library/secrets.ts';
import { cluster, library } from './sim.ts';

const connection = { peers: [{ name: 'main-0', rest: 'http://main-0:6333' }], apiKey: 'k' };

test('a binding holds what the specification and an application need', () => {
  assert.deepEqual(bindingData(library({ collection: 'handbook' }), cluster(), connection), {
    type: 'qdrant',
    provider: 'qdrant-librarian',
    host: 'main.team.svc',
    port: '6333',
    uri: 'http://main.team.svc:6333',
    collection: 'handbook',
    'grpc-port': '6334',
    'api-key': 'k',
  });
});

test('an external cluster without port, key or gRPC is bound, too, with its CA', () => {
  const external = cluster({ spec: { external: { url: 'https://q.example' } }, status: {} });
  const data = bindingData(library(), external, { peers: connection.peers, tls: { ca: 'PEM' } });
  assert.deepEqual(
    [data?.['host'], data?.['port'], data?.['uri'], data?.['ca.crt'], data?.['api-key'], data?.['grpc-port']],
    ['q.example', '443', 'https://q.example', 'PEM', undefined, undefined],
  );
  assert.equal(bindingData(library(), cluster({ status: {} }), connection), undefined);
});

test("the Secret is written when it is not there or differs, and somebody else's is left alone", () => {
  const wanted = bindingSecret(library(), { type: 'qdrant', 'api-key': 'k' });
  assert.equal(wanted.type, 'servicebinding.io/qdrant');
  assert.equal(bindingState(library(), undefined, wanted).kind, 'write');
  assert.equal(bindingState(library(), wanted, wanted).kind, 'current');
  const old = bindingSecret(library(), { type: 'qdrant', 'api-key': 'old' });
  assert.equal(bindingState(library(), old, wanted).kind, 'write');
  const { ownerReferences: _owners, ...metadata } = wanted.metadata;
  const foreign = bindingState(library(), { ...wanted, metadata }, wanted);
  assert.deepEqual([foreign.kind, foreign.note.reason], ['taken', 'BindingTaken']);
});

test('Secrets that a cluster depends on: the generated key, a named one, a CA', () => {
  assert.deepEqual(secretNames(cluster()), ['main-apikey']);
  const named = cluster({ spec: { apiKey: { secretKeyRef: { name: 's', key: 'x' } }, tls: { secretName: 't' } } });
  assert.deepEqual(mountedSecrets(named), { apiKey: { name: 's', key: 'x' }, ca: undefined });
  const external = cluster({
    spec: { external: { url: 'http://x', apiKeySecretRef: { name: 'k' }, caSecretRef: { name: 'c' } } },
  });
  assert.deepEqual(mountedSecrets(external), {
    apiKey: { name: 'k', key: 'api-key' },
    ca: { name: 'c', key: 'ca.crt' },
  });
  assert.deepEqual(secretNames(cluster({ spec: { external: { url: 'http://x' } } })), []);
});

test('a Secret that is not there and one without data are told apart', () => {
  const secret = bindingSecret(library(), { 'api-key': 'ü' });
  const { data: _data, ...empty } = secret;
  const lookup = secretLookup(
    { get: ({ name }) => (name === 'full' ? secret : name === 'empty' ? empty : undefined) },
    'team',
  );
  assert.deepEqual(lookup('full'), { 'api-key': 'ü' });
  assert.deepEqual(lookup('empty'), {});
  assert.equal(lookup('absent'), undefined);
});
