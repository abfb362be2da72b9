import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type PlanDocument,
  PlanError,
  planDigest,
  planDocument,
  readPlan,
  writePlan,
} from '../../src/rebalance/plan/document.ts';
import { drift } from '../../src/rebalance/plan/drift.ts';
import { makePlan } from '../../src/rebalance/plan/plan.ts';
import type { Problem } from '../../src/rebalance/plan/problem.ts';
import { cluster, type library, lopsided, NOW } from './problems.ts';

const problem = lopsided();
const plan = makePlan(problem, { now: NOW, effort: 10_000 });
const document = planDocument(problem, plan, NOW);
const [first, ...rest] = plan.moves;
assert.ok(first !== undefined);

const changed = (world: Problem, done: typeof plan.moves = []) =>
  drift(problem, world, { left: plan.moves.slice(done.length), done, now: NOW });
const withLibrary = (name: string, change: Parameters<typeof library>[2]): Problem => ({
  ...problem,
  libraries: problem.libraries.map((one) => (one.name === name ? { ...one, ...change } : one)),
});
const reason = (text: string): string => {
  try {
    readPlan(text);
    return 'none';
  } catch (error) {
    return error instanceof PlanError ? error.reason : 'another error';
  }
};

test('a plan is read back as it was written, and expires after a quarter of an hour', () => {
  assert.deepEqual(readPlan(writePlan(document)), JSON.parse(JSON.stringify(document)));
  assert.equal(Date.parse(document.expiresAt) - Date.parse(document.createdAt), 900_000);
});

test('the digest is that of problem and moves: not of the time, and of every figure', () => {
  assert.match(document.digest, /^[0-9a-f]{16}$/);
  assert.equal(planDocument(problem, plan, NOW + 1).digest, document.digest);
  assert.notEqual(planDigest({ ...problem, maxMoves: 4 }, plan), document.digest);
  assert.notEqual(planDigest(withLibrary('l0', { bytes: 1 }), plan), document.digest);
  assert.notEqual(planDigest(problem, { ...plan, moves: rest }), document.digest);
});

test('a plan that someone has changed is not executed', () => {
  const moved: PlanDocument = {
    ...document,
    plan: { ...plan, moves: [{ ...first, to: first.to === 'b' ? 'c' : 'b' }, ...rest] },
  };
  assert.equal(reason(JSON.stringify(moved)), 'DigestDiffers');
  for (const text of ['', '{}', 'null', '[]', '{"format":2}']) assert.equal(reason(text), 'NotReadable', text);
});

test('a plan too large for a ConfigMap is refused', () => {
  const long = { ...document, plan: { ...plan, stays: [{ library: 'l', name: 'n', reason: 'x'.repeat(1_000_000) }] } };
  assert.throws(() => writePlan(long), { name: 'PlanError', reason: 'TooLarge' });
});

test('a world as it was has not drifted, nor one that is as far as the plan', () => {
  assert.deepEqual(changed(problem), []);
  const done = [first];
  assert.deepEqual(
    changed(
      withLibrary(first.library, { cluster: first.to, lastMove: { from: first.from, endedAt: NOW, seconds: 5 } }),
      done,
    ),
    [],
  );
});

test('load may change by ten percent of a cluster, a library by ten percent of its bytes', () => {
  const louder = (factor: number): Problem => ({
    ...problem,
    libraries: problem.libraries.map((one) => ({ ...one, load: { ...one.load, busy: one.load.busy * factor } })),
  });
  assert.deepEqual(changed(louder(1.09)), []);
  assert.deepEqual(changed(louder(1.12)), ['busy of a changed by 12 %']);
  const bytes = first.bytes;
  assert.deepEqual(changed(withLibrary(first.library, { bytes: bytes * 1.09 })), []);
  assert.deepEqual(changed(withLibrary(first.library, { bytes: bytes * 1.2 })), [
    `library ${first.library} has ${bytes * 1.2} bytes, not ${bytes}`,
  ]);
});

test('another budget or another limit is another question', () => {
  const told = ['the limits or the budget of the policy have changed'];
  assert.deepEqual(changed({ ...problem, maxMoves: 1 }), told);
  assert.deepEqual(changed({ ...problem, limits: { ...problem.limits, disk: 0.5 } }), told);
});

test('what the plan stands on is named when it is gone', () => {
  const without = (name: string): Problem => ({
    ...problem,
    clusters: problem.clusters.filter((one) => one.name !== name),
  });
  assert.ok(changed(without(first.to)).includes(`cluster ${first.to} is gone`));
  assert.ok(
    changed({ ...problem, libraries: problem.libraries.filter(({ name }) => name !== first.library) }).includes(
      `library ${first.library} is gone`,
    ),
  );
  assert.ok(
    changed(withLibrary(first.library, { cluster: first.to })).includes(
      `library ${first.library} is on ${first.to}, not on a`,
    ),
  );
  assert.ok(
    changed(withLibrary(first.library, { pinned: true })).includes(`spec.placement of ${first.library} names a now`),
  );
  const older = {
    ...problem,
    clusters: problem.clusters.map((one) => (one.name === first.to ? cluster(one.name, { version: '1.17.0' }) : one)),
  };
  assert.ok(changed(older).includes(`${first.to} runs 1.17.0, older than 1.18.3 of a`));
  const smaller = {
    ...problem,
    clusters: problem.clusters.map((one) => ({ ...one, capacity: { ...one.capacity, cores: 2 } })),
  };
  assert.ok(changed(smaller).includes('capacity of a changed in busy'));
});
