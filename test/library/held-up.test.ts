import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Condition, DomainLibrary } from '../../src/api/index.ts';
import { heldUpEvents } from '../../src/library/decide/held-up.ts';
import type { Note } from '../../src/library/plan.ts';

const note = (message: string, change: Partial<Note> = {}): Note => ({
  type: 'MoveBlocked',
  status: 'True',
  reason: 'PredicatesRefuse',
  message,
  ...change,
});

const showing = (...notes: readonly Note[]): Pick<DomainLibrary, 'status'> => ({
  status: { conditions: notes.map((one): Condition => ({ ...one, lastTransitionTime: '2026-01-01T00:00:00Z' })) },
});

test('what is new is told once, by the name of the condition or of its own reason', () => {
  const small = note('target-has-room: 6.00 GiB are needed');
  assert.deepEqual(heldUpEvents({}, [small]), [
    { type: 'Warning', reason: 'MoveBlocked', action: 'Move', note: small.message },
  ]);
  assert.deepEqual(heldUpEvents(showing(small), [small]), []);
  const full = note('tried again: disk full', { type: 'ChangeBlocked', reason: 'CopyHeldUp' });
  assert.deepEqual(heldUpEvents(showing(small), [small, full]), [
    { type: 'Warning', reason: 'CopyHeldUp', action: 'Change', note: full.message },
  ]);
});

test('figures that tick are no news; another predicate is', () => {
  const before = showing(note('target-ready: no answer for 3.2 s'));
  assert.deepEqual(heldUpEvents(before, [note('target-ready: no answer for 14 s')]), []);
  assert.equal(heldUpEvents(before, [note('target-has-room: 4 collections of 4')]).length, 1);
});

test('what a library says of other things is not told here', () => {
  const others = [note('takes 400 s', { type: 'QuickReturn' }), note('over', { status: 'False' })];
  assert.deepEqual(heldUpEvents({}, others), []);
});
