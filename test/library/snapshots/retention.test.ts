import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { surplus } from '../../../src/library/snapshots/decide/retention.ts';
import { library } from '../given.ts';
import { manifest, NOW } from './given.ts';

const HOUR = 3_600_000;
const aged = (...hours: readonly number[]) =>
  hours.map((age) => manifest({ name: `docs-${age}`, createdAt: new Date(NOW - age * HOUR).toISOString() }));
const common = { now: NOW, used: new Set<string>(), place: undefined, cluster: 'main', making: false };
const names = (options: Partial<Parameters<typeof surplus>[0]>, spec: object) =>
  surplus({ ...common, manifests: aged(1, 2, 3), library: library({ snapshots: spec }), ...options }).map(
    ({ name }) => name,
  );

test('what is beyond the number that is kept is dropped, oldest first', () => {
  assert.deepEqual(names({}, { keepLast: 1 }), ['docs-3', 'docs-2']);
  assert.deepEqual(names({}, { keepLast: 3 }), []);
  assert.deepEqual(names({ making: true }, { keepLast: 3 }), ['docs-3']);
  // A new one is complete by then.
  assert.deepEqual(names({ making: true }, { keepLast: 1 }), ['docs-3', 'docs-2', 'docs-1']);
});

test('what is too old is dropped, but never the newest', () => {
  assert.deepEqual(names({ manifests: aged(5, 9, 30) }, { keepLast: 7, maxAgeHours: 8 }), ['docs-30', 'docs-9']);
  assert.deepEqual(names({ manifests: aged(90, 100) }, { keepLast: 7, maxAgeHours: 8 }), ['docs-100']);
});

test('what a rollback wants stays, and so does what lies out of reach', () => {
  assert.deepEqual(names({ used: new Set(['docs-3']) }, { keepLast: 1 }), ['docs-2']);
  assert.deepEqual(names({ cluster: 'other' }, { keepLast: 1 }), []);
  const bucket = { bucket: 'one', prefix: '', region: 'us-east-1' };
  const manifests = aged(1, 2).map((each) => ({ ...each, destination: 's3' as const, bucket }));
  assert.deepEqual(names({ manifests, place: bucket }, { keepLast: 1 }), ['docs-2']);
  assert.deepEqual(names({ manifests, place: { ...bucket, bucket: 'two' } }, { keepLast: 1 }), []);
  assert.deepEqual(names({ manifests }, { keepLast: 1 }), []);
});

test('whatever there is, the newest good one is never dropped while no other is being made', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
      (ages, keepLast, maxAgeHours) => {
        const spec = { keepLast, ...(maxAgeHours === undefined ? {} : { maxAgeHours }) };
        const dropped = names({ manifests: aged(...ages) }, spec);
        assert.ok(ages.length === 0 || !dropped.includes(`docs-${Math.min(...ages)}`));
        assert.equal(new Set(dropped).size, dropped.length);
      },
    ),
  );
});
