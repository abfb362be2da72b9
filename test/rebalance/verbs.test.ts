import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LifecycleFacts, next, TRANSITIONS } from '../../src/rebalance/lifecycle.ts';
import { answer, PLAN_STATES, type PlanState, parseVerb, VERB_TABLE, VERBS } from '../../src/rebalance/verbs.ts';

const DIGEST = '0123456789abcdef';
const ENDED: readonly PlanState[] = ['None', 'Stopped', 'Completed', 'Expired', 'Failed'];

const facts: fc.Arbitrary<LifecycleFacts> = fc.record({
  mode: fc.constantFrom('Observe', 'Recommend', 'Auto'),
  suspended: fc.boolean(),
  windowOpen: fc.boolean(),
  called: fc.constantFrom([], ['busy']),
  offered: fc.boolean(),
  expired: fc.boolean(),
  drift: fc.constantFrom([], ['changed']),
  moves: fc.record({ left: fc.nat(2), running: fc.nat(1), failed: fc.nat(1) }),
});
const state = fc.constantFrom(...PLAN_STATES);

const calm: LifecycleFacts = {
  mode: 'Auto',
  suspended: false,
  windowOpen: true,
  called: ['busy'],
  offered: true,
  expired: false,
  drift: [],
  moves: { left: 0, running: 0, failed: 0 },
};

test('verbs are read as they are written, and nothing else is one', () => {
  assert.deepEqual(parseVerb(` approve=${DIGEST} `), { name: 'approve', digest: DIGEST });
  assert.deepEqual(parseVerb('stop'), { name: 'stop' });
  for (const text of ['', 'approve', 'approve=', 'approve=yes', 'stop=1', 'Stop', 'approve=0123=4567'])
    assert.equal(parseVerb(text), undefined, text);
});

test('every verb has an answer in every state, and leads only where a plan may go', () => {
  for (const verb of VERBS)
    for (const from of PLAN_STATES) {
      const told = VERB_TABLE[verb][from];
      if (told.kind === 'obeyed')
        assert.ok(told.state === from || TRANSITIONS[from].includes(told.state), `${verb} ${from}`);
      else assert.ok(told.message.length > 0);
    }
});

test('what is executed was approved by its own digest, before it expired', () => {
  const proposed = { state: 'Proposed', digest: DIGEST, expiresAt: 100, mode: 'Recommend' } as const;
  const approve = (digest: string, now: number, change: object = {}) =>
    answer({ name: 'approve', digest }, { ...proposed, ...change }, now);
  const reason = (told: ReturnType<typeof approve>) => (told.kind === 'refused' ? told.reason : told.state);
  assert.equal(reason(approve(DIGEST, 99)), 'Approved');
  assert.equal(reason(approve(DIGEST, 100)), 'PlanExpired');
  assert.equal(reason(approve('fedcba9876543210', 99)), 'DigestDiffers');
  assert.equal(reason(approve(DIGEST, 99, { mode: 'Observe' })), 'ModeObserves');
  assert.equal(reason(approve(DIGEST, 200, { state: 'Running' })), 'Running');
  assert.equal(reason(approve('fedcba9876543210', 99, { state: 'Running' })), 'DigestDiffers');
  assert.equal(reason(approve(DIGEST, 99, { state: 'Stopped' })), 'PlanStopped');
});

test('a running plan is stopped, not refreshed', () => {
  const running = { state: 'Running', mode: 'Auto' } as const;
  assert.deepEqual(answer({ name: 'stop' }, running, 0), { kind: 'obeyed', effect: 'abortMoves', state: 'Stopped' });
  assert.equal(answer({ name: 'refresh' }, running, 0).kind, 'refused');
});

test('no transition is illegal, whatever the facts', () => {
  fc.assert(
    fc.property(state, facts, (from, given) => {
      const { state: to } = next(from, given);
      assert.ok(to === from || TRANSITIONS[from].includes(to), `${from} to ${to}`);
    }),
    { numRuns: 2000 },
  );
});

test('a move begins only in a window, unsuspended, with the world as it was, in an approved plan', () => {
  fc.assert(
    fc.property(state, facts, (from, given) => {
      const { begin, state: to } = next(from, given);
      if (!begin) return;
      assert.ok(from === 'Approved' || from === 'Running');
      assert.equal(to, 'Running');
      assert.ok(
        given.windowOpen &&
          !given.suspended &&
          given.drift.length === 0 &&
          given.moves.failed * Number(from === 'Running') === 0,
      );
    }),
    { numRuns: 2000 },
  );
});

test('nothing is executed that nobody approved, but in Auto', () => {
  fc.assert(
    fc.property(facts, (given) => {
      if (given.mode !== 'Auto') assert.notEqual(next('Proposed', given).state, 'Approved');
    }),
  );
});

test('every state has a way out, by itself or by a verb', () => {
  for (const from of PLAN_STATES) {
    const reached = new Set<PlanState>([from]);
    for (let size = 0; size < reached.size; ) {
      size = reached.size;
      for (const one of [...reached]) for (const to of TRANSITIONS[one]) reached.add(to);
    }
    assert.ok(reached.has('Completed'), `${from} never leads to a plan that is completed`);
  }
  const quiet = { ...calm, moves: { left: 0, running: 0, failed: 0 } };
  assert.equal(next('None', quiet).state, 'Proposed');
  assert.equal(next('Proposed', quiet).state, 'Approved');
  assert.equal(next('Approved', quiet).state, 'Running');
  assert.equal(next('Running', quiet).state, 'Completed');
  for (const from of ENDED.filter((one) => one !== 'Stopped')) assert.equal(next(from, quiet).state, 'Proposed');
  assert.equal(VERB_TABLE.refresh.Stopped.kind, 'obeyed');
});

test('what changed under a plan ends it, once its running moves are done', () => {
  const changed = { ...calm, drift: ['cluster b is gone'] };
  assert.equal(next('Proposed', changed).state, 'Expired');
  assert.equal(next('Approved', changed).state, 'Expired');
  assert.deepEqual(next('Running', { ...changed, moves: { left: 1, running: 1, failed: 0 } }).state, 'Running');
  assert.deepEqual(next('Running', { ...changed, moves: { left: 1, running: 0, failed: 0 } }).reason, 'InputsChanged');
});
