import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { atLeastVersion, CONFIG_MAPS, type ConfigMap, Expectations, Store } from '../../src/kube/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { ManualClock } from './manual-clock.ts';

const owner = { namespace: 'ns', name: 'owner' };
const configMap = (version: string, uid = 'u'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace: 'ns', name: 'a', uid, resourceVersion: version },
});

function world() {
  const clock = new ManualClock();
  const lines: string[] = [];
  const log = createLogger('warn', { write: (line) => lines.push(line) });
  const cache = { store: new Store<ConfigMap>(), resourceVersion: undefined as string | undefined, type: CONFIG_MAPS };
  return { clock, lines, cache, expectations: new Expectations({ clock, log }) };
}

test('a write is pending until the cache shows it', () => {
  const { cache, expectations } = world();
  cache.store.apply(configMap('5'));
  expectations.wrote(owner, cache, configMap('7'));
  assert.deepEqual(expectations.pending(owner), ['ConfigMap ns/a at 7']);
  cache.store.apply(configMap('6'));
  assert.equal(expectations.pending(owner).length, 1);
  cache.store.apply(configMap('7'));
  assert.deepEqual(expectations.pending(owner), []);
});

test('a later version, or a cache that is past it, will do', () => {
  for (const show of ['store', 'version'] as const) {
    const { cache, expectations } = world();
    expectations.wrote(owner, cache, configMap('9'));
    if (show === 'store') cache.store.apply(configMap('10'));
    else cache.resourceVersion = '10';
    assert.deepEqual(expectations.pending(owner), []);
  }
});

test('an object of the same name with another uid is not the one that was written', () => {
  const { cache, expectations } = world();
  expectations.wrote(owner, cache, configMap('7'));
  cache.store.apply(configMap('8', 'other'));
  assert.equal(expectations.pending(owner).length, 1);
});

test('a deletion is pending until that very object is gone', () => {
  const { cache, expectations } = world();
  cache.store.apply(configMap('5'));
  expectations.deleted(owner, cache, configMap('5'));
  assert.deepEqual(expectations.pending(owner), ['ConfigMap ns/a deleted']);
  cache.store.apply(configMap('8', 'successor'));
  assert.deepEqual(expectations.pending(owner), []);
});

test('what never shows is given up after a while, and said', () => {
  const { cache, clock, expectations, lines } = world();
  expectations.wrote(owner, cache, configMap('7'));
  clock.advance(4_000);
  expectations.pending(owner);
  assert.equal(lines.length, 0);
  clock.advance(55_000);
  assert.equal(expectations.pending(owner).length, 1);
  expectations.pending(owner);
  assert.equal(lines.length, 1, 'told once');
  assert.match(lines[0] ?? '', /has long not shown a write/);
  clock.advance(1_000);
  assert.deepEqual(expectations.pending(owner), []);
  assert.equal(lines.length, 2);
  assert.match(lines[1] ?? '', /the cache never showed a write/);
});

test('owners do not wait for each other, and a forgotten one waits for nothing', () => {
  const { cache, expectations } = world();
  expectations.wrote(owner, cache, configMap('7'));
  assert.deepEqual(expectations.pending({ namespace: 'ns', name: 'other' }), []);
  expectations.forget(owner);
  assert.deepEqual(expectations.pending(owner), []);
});

test('versions compare as the integers they are, however long; others only as equal', () => {
  const version = fc.bigInt({ min: 0n, max: 2n ** 80n });
  fc.assert(
    fc.property(version, version, (a, b) => {
      assert.equal(atLeastVersion(String(a), String(b)), a >= b);
    }),
  );
  assert.equal(atLeastVersion('x', 'x'), true);
  assert.equal(atLeastVersion('x', 'w'), false);
  assert.equal(atLeastVersion('10', ''), false);
});
