import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compared, Ledger } from '../../../sandbox/run/ledger.ts';

test('what is missing is lost, what is there besides is a phantom', () => {
  const entry = compared(new Set(['a', 'b', 'c']), new Set(['b', 'c', 'd']));
  assert.deepEqual(entry, { acknowledged: 3, lost: 1, phantoms: 1 });
});

test('a ledger adds up all loads', () => {
  const ledger = new Ledger();
  ledger.add({ acknowledged: 10, lost: 1, phantoms: 0 });
  ledger.add({ acknowledged: 5, lost: 0, phantoms: 2 });
  assert.deepEqual(ledger.total, { acknowledged: 15, lost: 1, phantoms: 2 });
});
