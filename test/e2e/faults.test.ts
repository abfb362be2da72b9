import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coverage, words } from '../../e2e/stage/faults/coverage.ts';
import { MOVE_CELLS, MOVE_STATES, movePlan } from '../../e2e/stage/faults/move-plan.ts';
import { FIRST_RUN_SEED, RUN_CELLS, RUN_STATES, runPlan } from '../../e2e/stage/faults/run-plan.ts';
import { chosenSeeds, groups } from '../../e2e/stage/faults/seeds.ts';

const runs = Array.from({ length: 24 }, (_, index) => runPlan(FIRST_RUN_SEED + index));
const plans = Array.from({ length: 52 }, (_, index) => movePlan(index + 1));

test('a seed is the same move for ever', () => {
  assert.deepEqual(
    plans.map(({ seed }) => movePlan(seed)),
    plans,
  );
  const { faults, ...seventeen } = movePlan(17);
  assert.deepEqual(faults[0]?.victim, movePlan(17 + MOVE_CELLS.length).faults[0]?.victim);
  assert.equal(seventeen.seed, 17);
});

test('the seeds of a run strike every victim at every state that it has', () => {
  const coverage = new Coverage(MOVE_CELLS);
  for (const { faults } of plans) for (const fault of faults) coverage.count(fault);
  const ofRuns = new Coverage(RUN_CELLS);
  for (const { faults } of runs) for (const fault of faults) ofRuns.count(fault);
  assert.deepEqual([...coverage.empty, ...ofRuns.empty], []);
  assert.equal(RUN_CELLS.length, 5 * RUN_STATES.length - 2, 'worker and embedder have no part in the end');
  assert.equal(MOVE_CELLS.length, 6 * MOVE_STATES.length - 3, 'workers are there from Copying to Switched');
});

test('the seeds of a run differ in all that a seed decides', () => {
  const kinds = (of: (plan: (typeof plans)[number]) => unknown) => new Set(plans.map(of)).size;
  assert.deepEqual(
    [
      kinds(({ engine }) => engine),
      kinds(({ replicationFactor }) => replicationFactor),
      kinds(({ shards }) => shards),
      kinds(({ access }) => access),
      kinds(({ direction }) => direction),
      kinds(({ faults }) => faults.length),
    ],
    [2, 2, 3, 2, 2, 2],
  );
  assert.ok(kinds(({ mix }) => mix.points) > 40);
});

test('a second fault comes at the same state as the first or later', () => {
  for (const { faults } of plans) {
    const [first = 0, second = first] = faults.map(({ state }) => MOVE_STATES.indexOf(state));
    assert.ok(second >= first);
  }
});

test('seeds are chosen by numbers and ranges; anything else is refused by name', () => {
  assert.deepEqual(chosenSeeds(undefined, '1-3,9'), [1, 2, 3, 9]);
  assert.deepEqual(chosenSeeds('', '1-2'), [1, 2]);
  assert.deepEqual(chosenSeeds('17', '1-50'), [17]);
  assert.deepEqual(chosenSeeds('3, 7,9-11,10', '1-50'), [3, 7, 9, 10, 11]);
  for (const bad of ['0', '5-3', 'x', '1,,2', '1-'])
    assert.throws(() => chosenSeeds(bad, '1-50'), /E2E_SEEDS: .* is neither a number above 0 nor a range/);
});

test('groups are as even as can be, and hold everything once', () => {
  assert.deepEqual(groups([1, 2, 3, 4, 5, 6, 7], 3), [
    [1, 4, 7],
    [2, 5],
    [3, 6],
  ]);
  assert.deepEqual(groups([], 3), []);
});

test('the table of what was struck shows what is empty, and what can not be', () => {
  const coverage = new Coverage([
    { victim: 'operator', state: 'Begun' },
    { victim: 'operator', state: 'Done' },
    { victim: 'worker', state: 'Begun' },
  ]);
  coverage.count({ victim: 'operator', state: 'Begun' });
  assert.equal(
    coverage.table(),
    ['       operator  worker', 'Begun         1       0', ' Done         0       -'].join('\n'),
  );
  assert.deepEqual(coverage.empty.map(words), ['operator at Done', 'worker at Begun']);
});
