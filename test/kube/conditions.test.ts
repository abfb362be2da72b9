import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Condition,
  finalizeConditions,
  findCondition,
  isTrue,
  type PassResult,
  removeCondition,
  setCondition,
} from '../../src/kube/index.ts';

const EARLIER = '2026-01-01T00:00:00Z';
const NOW = '2026-01-02T00:00:00Z';
const ready = (status: Condition['status'], observedGeneration = 1): Condition => ({
  type: 'Ready',
  status,
  reason: 'Before',
  message: '',
  lastTransitionTime: EARLIER,
  observedGeneration,
});
const wait: PassResult = { kind: 'wait', seconds: 5, reason: 'Copying', message: 'half way' };
const stalled: PassResult = { kind: 'stalled', reason: 'BadField', message: 'spec.size is 0' };
const failed: PassResult = { kind: 'failed', reason: 'Unreachable', message: 'no answer' };
const finalize = (list: readonly Condition[], result: PassResult) =>
  finalizeConditions(list, { result, generation: 2, now: NOW });

test('the time of a condition moves only with its status', () => {
  const [kept] = setCondition([ready('True')], { type: 'Ready', status: 'True', reason: 'Other', message: 'x' }, NOW);
  assert.deepEqual([kept?.lastTransitionTime, kept?.reason], [EARLIER, 'Other']);
  const [moved] = setCondition([ready('True')], { type: 'Ready', status: 'False', reason: 'Other', message: 'x' }, NOW);
  assert.equal(moved?.lastTransitionTime, NOW);
});

test('a pass that is done leaves Ready alone', () => {
  const before = [ready('False'), { ...ready('True'), type: 'Reconciling' }, { ...ready('True'), type: 'Stalled' }];
  const { conditions, observedGeneration } = finalize(before, { kind: 'done' });
  assert.deepEqual(
    conditions.map(({ type, status }) => [type, status]),
    [['Ready', 'True']],
  );
  assert.equal(observedGeneration, 2);
});

test('waiting shows as Reconciling, keeps Ready as it was, and observes no generation', () => {
  const { conditions, observedGeneration } = finalize([ready('True')], wait);
  assert.deepEqual(findCondition(conditions, 'Ready'), ready('True'));
  assert.equal(findCondition(conditions, 'Reconciling')?.reason, 'Copying');
  assert.equal(observedGeneration, undefined);
});

test('waiting before anything was ready is Ready=Unknown', () => {
  assert.equal(findCondition(finalize([], wait).conditions, 'Ready')?.status, 'Unknown');
});

test('a stalled object is not Ready, not Reconciling, and its generation is observed', () => {
  const { conditions, observedGeneration } = finalize(finalize([ready('True')], wait).conditions, stalled);
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => [type, status, reason]),
    [
      ['Ready', 'False', 'BadField'],
      ['Stalled', 'True', 'BadField'],
    ],
  );
  assert.equal(observedGeneration, 2);
});

test('a failure is tried again: not Ready, Reconciling, no longer Stalled, generation not observed', () => {
  const { conditions, observedGeneration } = finalize(finalize([], stalled).conditions, failed);
  assert.equal(findCondition(conditions, 'Ready')?.reason, 'Unreachable');
  assert.equal(findCondition(conditions, 'Reconciling')?.reason, 'ProgressingWithRetry');
  assert.equal(isTrue(conditions, 'Stalled'), false);
  assert.equal(observedGeneration, undefined);
});

test('a controller may say itself whether the object is ready while it waits', () => {
  const own = { status: 'False', reason: 'PeerMissing', message: 'peer 2 is gone' } as const;
  const { conditions } = finalizeConditions([ready('True')], { result: wait, generation: 2, now: NOW, ready: own });
  assert.equal(findCondition(conditions, 'Ready')?.reason, 'PeerMissing');
});

test('a removed condition is gone and the others stay', () => {
  assert.deepEqual(removeCondition([ready('True')], 'Ready'), []);
  assert.equal(removeCondition([ready('True')], 'Stalled').length, 1);
});

const result = fc.constantFrom<PassResult>({ kind: 'done' }, wait, stalled, failed);
const status = fc.constantFrom<Condition['status']>('True', 'False', 'Unknown');
const conditions = fc.uniqueArray(
  fc.record({
    type: fc.constantFrom('Ready', 'Reconciling', 'Stalled', 'Degraded'),
    status,
    reason: fc.constantFrom('A', 'B'),
    message: fc.string(),
    lastTransitionTime: fc.constant(EARLIER),
    observedGeneration: fc.constant(1),
  }),
  { selector: ({ type }) => type },
);

test('finalizing twice is finalizing once, whatever was there; kstatus holds; other conditions are untouched', () => {
  fc.assert(
    fc.property(conditions, result, (before, each) => {
      const once = finalize(before, each);
      const later = finalizeConditions(once.conditions, { result: each, generation: 2, now: '2027-01-01T00:00:00Z' });
      assert.deepEqual(later, once);
      assert.ok(findCondition(once.conditions, 'Ready') !== undefined);
      assert.ok(!(isTrue(once.conditions, 'Reconciling') && isTrue(once.conditions, 'Stalled')));
      for (const type of ['Reconciling', 'Stalled']) {
        const found = findCondition(once.conditions, type);
        assert.ok(found === undefined || found.status === 'True');
      }
      assert.deepEqual(findCondition(once.conditions, 'Degraded'), findCondition(before, 'Degraded'));
    }),
  );
});

test('what serves on is Ready although a change of it stalled, as of the generation before, until that is done', () => {
  const ready = { status: 'True', reason: 'Ready', message: 'serves' } as const;
  const step = (list: readonly Condition[], kind: 'stalled' | 'wait' | 'done', observedGeneration: number) => {
    const why = { reason: 'CopyFailed', message: 'ten times' };
    const result = kind === 'done' ? ({ kind } as const) : { kind, seconds: 1, ...why };
    const now = '2026-01-01T00:00:00Z';
    return finalizeConditions(list, { result, generation: 4, now, observedGeneration, ready });
  };
  const first = step([], 'stalled', 3);
  const again = step(first.conditions, 'stalled', 4);
  const retried = step(again.conditions, 'wait', 4);
  for (const { conditions } of [first, again, retried]) {
    const found = findCondition(conditions, 'Ready');
    assert.deepEqual([found?.status, found?.observedGeneration], ['True', 3]);
  }
  assert.equal(first.observedGeneration, 4);
  assert.equal(findCondition(again.conditions, 'Stalled')?.reason, 'CopyFailed');
  assert.equal(isTrue(retried.conditions, 'Stalled'), false);
  assert.equal(findCondition(step(retried.conditions, 'done', 4).conditions, 'Ready')?.observedGeneration, 4);
});

test('Ready while a change is carried out is Ready as of the generation before it', () => {
  const ready = { status: 'True', reason: 'Ready', message: 'serves' } as const;
  const options = { generation: 4, now: '2026-01-01T00:00:00Z', observedGeneration: 3, ready };
  const changing = finalizeConditions([], {
    ...options,
    result: { kind: 'wait', seconds: 1, reason: 'Changing', message: 'changes' },
  });
  assert.equal(findCondition(changing.conditions, 'Ready')?.observedGeneration, 3);
  assert.equal(changing.observedGeneration, undefined);
  const done = finalizeConditions(changing.conditions, { ...options, result: { kind: 'done' } });
  assert.equal(findCondition(done.conditions, 'Ready')?.observedGeneration, 4);
  assert.equal(done.observedGeneration, 4);
});
