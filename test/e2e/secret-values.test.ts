import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SecretValues } from '../../e2e/stage/failure/secret-values.ts';
import type { Secret } from '../../src/kube/index.ts';

const secret = (name: string, values: Record<string, string>, type = 'Opaque'): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  type,
  data: Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
});

function values(...secrets: Secret[]): SecretValues {
  const known = new SecretValues();
  for (const one of secrets) known.add(one);
  return known;
}

test('a value is blanked in every form in which it is written', () => {
  const value = 'p@ss "word"\nwith lines';
  const known = values(secret('keys', { password: value }));
  for (const form of [
    value,
    JSON.stringify({ value }),
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
  ]) {
    const { text, found } = known.blank(`before ${form} after`);
    assert.match(text, /^before .*\[blanked\].* after$/);
    assert.deepEqual(found, ['keys/password']);
  }
});

test('of two values one of which holds the other nothing is left', () => {
  const known = values(secret('short', { key: 'canary' }), secret('long', { key: 'canary-and-more' }));
  assert.equal(known.blank('canary-and-more, canary').text, '[blanked], [blanked]');
});

test('what a binding says of where a library is stays readable; its key does not', () => {
  const binding = { uri: 'http://desk.team:6333', collection: 'docs', 'api-key': 'canary-key' };
  const known = values(secret('docs-binding', binding, 'servicebinding.io/qdrant'));
  assert.equal(known.blank('http://desk.team:6333 canary-key').text, 'http://desk.team:6333 [blanked]');
});

test('words too short to be keys are left alone; tokens and private keys that stand in no Secret are not', () => {
  const known = values(secret('odd', { other: 'x' }));
  assert.equal(known.blank('an x').text, 'an x');
  const token = ['eyJhbGciOiJSUzI1NiJ9', 'eyJzdWIiOiJzeXN0ZW0ifQ', 'c2lnbmF0dXJlLW9m'].join('.');
  assert.equal(known.blank(`Bearer ${token}.`).text, 'Bearer [blanked].');
  const pem = '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----';
  assert.deepEqual(known.blank(pem), { text: '[blanked]', found: ['a private key'] });
});
