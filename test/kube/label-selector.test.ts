import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesSelector } from '../../src/kube/index.ts';

test('a selector without requirements selects everything', () => {
  assert.equal(matchesSelector({}, { any: 'label' }), true);
  assert.equal(matchesSelector({}), true);
});

test('every requirement must hold; NotIn and DoesNotExist hold for labels that are absent', () => {
  const labels = { tier: 'hot', zone: 'a' };
  const expression = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist', key: string, values?: string[]) =>
    matchesSelector({ matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }] }, labels);
  assert.equal(matchesSelector({ matchLabels: { tier: 'hot', zone: 'a' } }, labels), true);
  assert.equal(matchesSelector({ matchLabels: { tier: 'hot', zone: 'b' } }, labels), false);
  assert.deepEqual(
    [expression('In', 'zone', ['a', 'b']), expression('In', 'zone', ['b']), expression('In', 'absent', ['a'])],
    [true, false, false],
  );
  assert.deepEqual(
    [expression('NotIn', 'zone', ['b']), expression('NotIn', 'zone', ['a']), expression('NotIn', 'absent', ['a'])],
    [true, false, true],
  );
  assert.deepEqual([expression('Exists', 'zone'), expression('Exists', 'absent')], [true, false]);
  assert.deepEqual([expression('DoesNotExist', 'zone'), expression('DoesNotExist', 'absent')], [false, true]);
});
