import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addLoads, capacityOf, DIMENSIONS, type Dimension, type Load } from '../../src/rebalance/load.ts';
import { makePlan } from '../../src/rebalance/plan/plan.ts';
import type { Problem } from '../../src/rebalance/plan/problem.ts';
import { anyProblem, cluster, library, lopsided, NOW } from './problems.ts';

const EFFORT = 20_000;
const plan = (problem: Problem) => makePlan(problem, { now: NOW, effort: EFFORT });
const SLACK = 1 + 1e-6;
const RUNS = { numRuns: 40, seed: 5 };

const weighed = (load: Load, factor: number): Load =>
  Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, load[dimension] * factor])) as Load;

/** What a cluster carries while the moves up to `index` are done and the next one runs: it counts on both sides. */
function carried(
  { libraries, clusters, keepsSource }: Problem,
  moves: ReturnType<typeof plan>['moves'],
  index: number,
) {
  const done = moves.slice(0, index);
  const running = moves[index];
  return clusters.map(({ name, fixed }) => {
    const loads = libraries.flatMap((one) => {
      const at = done.findLast((move) => move.library === one.name)?.to ?? one.cluster;
      const visited = [at, ...(running?.library === one.name ? [running.to] : [])];
      if (visited.includes(name)) return [name === one.cluster ? one.load : weighed(one.load, 1.1)];
      return keepsSource && name === one.cluster ? [{ ...one.load, requests: 0, busy: 0 }] : [];
    });
    return { name, load: addLoads([fixed, ...loads]) };
  });
}

test('a plan is never worse than what is, and never below the bound', () => {
  fc.assert(
    fc.property(anyProblem, (problem) => {
      const { before, after, lowerBound, moves } = plan(problem);
      assert.ok(after <= before * SLACK, `${after} after ${before}`);
      if (moves.length === 0) assert.deepEqual([after, lowerBound], [before, undefined]);
      else assert.ok(lowerBound !== undefined && lowerBound <= after * SLACK, `bound ${lowerBound} above ${after}`);
    }),
    RUNS,
  );
});

test('a plan keeps within its budgets', () => {
  fc.assert(
    fc.property(anyProblem, (problem) => {
      const { moves } = plan(problem);
      assert.ok(moves.length <= problem.maxMoves);
      const bytes = moves.reduce((sum, move) => sum + move.bytes, 0);
      assert.ok(bytes <= (problem.maxBytes ?? Number.POSITIVE_INFINITY) * SLACK);
    }),
    RUNS,
  );
});

test('the same problem gives the same plan', () => {
  fc.assert(
    fc.property(anyProblem, (problem) => {
      assert.deepEqual(plan(structuredClone(problem)), plan(problem));
    }),
    { ...RUNS, numRuns: 25 },
  );
});

test('no move breaks a limit that was kept, not even while it runs', () => {
  fc.assert(
    fc.property(anyProblem, (problem) => {
      const { moves } = plan(problem);
      const start = carried(problem, [], 0);
      for (const index of moves.keys()) {
        for (const [place, { name, load }] of carried(problem, moves, index).entries()) {
          const one = problem.clusters[place];
          if (one === undefined || name !== moves[index]?.to) continue;
          for (const dimension of Object.keys(problem.limits) as Dimension[]) {
            const limit = (problem.limits[dimension] ?? 1) * capacityOf(one.capacity)[dimension];
            const most = Math.max(limit, start[place]?.load[dimension] ?? 0);
            assert.ok(load[dimension] <= most * SLACK, `${dimension} of ${name}: ${load[dimension]} of ${most}`);
          }
        }
      }
    }),
    RUNS,
  );
});

test('moves follow on each other, and only what may be moved is, to where it may be', () => {
  fc.assert(
    fc.property(anyProblem, (problem) => {
      const where = new Map(problem.libraries.map(({ name, cluster: on }) => [name, on]));
      for (const { library: name, from, to } of plan(problem).moves) {
        assert.equal(where.get(name), from);
        where.set(name, to);
        const one = problem.libraries.find((candidate) => candidate.name === name);
        const [source, target] = [from, to].map((on) => problem.clusters.find((candidate) => candidate.name === on));
        assert.ok(one !== undefined && !one.pinned && !one.busy, name);
        assert.ok(target?.ready === true && source?.ready === true, `${from} to ${to}`);
        assert.ok(!(source.version > target.version), `${source.version} to ${target.version}`);
        assert.ok(one.targets?.includes(to) ?? true);
        assert.ok(one.lastMove === undefined || NOW - one.lastMove.endedAt >= 3_600_000, 'cooled down');
        assert.notEqual(one.lastMove?.from, to);
      }
    }),
    RUNS,
  );
});

test('what lies all on one cluster is spread evenly', () => {
  const { moves, before, after } = plan(lopsided());
  assert.equal(moves.length, 4);
  assert.deepEqual(moves.map(({ to }) => to).toSorted(), ['b', 'b', 'c', 'c']);
  assert.ok(before > 2.9 && Math.abs(after - 1) < 1e-9, `${before} ${after}`);
});

test('a swap is found where no single move helps', () => {
  const load = (busy: number) => ({ requests: 0, busy, memory: 0, disk: 0, points: 0 });
  const problem = lopsided({
    clusters: [cluster('a'), cluster('b')],
    libraries: [
      ...[0.5, 0.5].map((busy, index) => library(`big${index}`, 'a', { load: load(busy) })),
      ...[0.4, 0.4].map((busy, index) => library(`small${index}`, 'b', { load: load(busy) })),
    ],
    limits: {},
    maxMoves: 2,
  });
  const { moves, before, after } = plan(problem);
  assert.equal(moves.length, 2);
  assert.ok(before > 1.1 && Math.abs(after - 1) < 1e-9);
});

test('two full clusters swap by way of a third one', () => {
  const giga = 1024 ** 3;
  const load = (memory: number, busy: number) => ({ requests: 0, busy, memory: memory * giga, disk: 0, points: 0 });
  const problem = lopsided({
    libraries: [
      library('hot', 'a', { load: load(5, 0.5) }),
      library('cold', 'b', { load: load(5, 0.1) }),
      library('on a', 'a', { load: load(2.9, 0.4), pinned: true }),
      library('on b', 'b', { load: load(2.9, 0.1), pinned: true }),
      library('on c', 'c', { load: load(3.4, 0.55), pinned: true }),
    ],
    limits: { memory: 0.9 },
    maxMoves: 3,
  });
  const { moves } = plan(problem);
  const hops = moves.map(({ library: name, from, to }) => `${name}: ${from} to ${to}`);
  assert.ok(hops.includes('hot: a to c') || hops.includes('cold: b to c'), hops.join(', '));
  assert.equal(hops.length, 3);
  assert.match(moves[0]?.reason ?? '', /^sets it aside so that another move has room/);
  assert.ok(plan({ ...problem, maxMoves: 2 }).moves.length <= 2);
});

test('each move says what it does, and why the library does not go elsewhere', () => {
  const { moves } = plan(lopsided({ clusters: [cluster('a'), cluster('b'), cluster('c', { version: '1.17.1' })] }));
  const [first] = moves;
  assert.match(first?.reason ?? '', /^\w+ of a from \d+\.\d\dx to \d+\.\d\dx of the mean, \w+ of b from/);
  assert.deepEqual(first?.alternatives, [
    { to: 'c', rejected: 'target-is-not-older: c runs 1.17.1, older than 1.18.3 of a' },
  ]);
});

test('libraries of the hottest cluster that must stay are named with the reason', () => {
  const { moves, stays } = plan(lopsided({ libraries: [library('one', 'a', { pinned: true })] }));
  assert.deepEqual(moves, []);
  assert.deepEqual(stays, [{ library: 'one', name: 'placement-is-free', reason: 'spec.placement of one names a' }]);
});

test('below the goal nothing is moved', () => {
  const libraries = [...Array.from({ length: 21 }, (_, index) => library(`l${index}`, index < 11 ? 'a' : 'b'))];
  const clusters = [cluster('a'), cluster('b')];
  assert.deepEqual(plan(lopsided({ clusters, libraries, goal: 1.05, limits: {} })).moves, []);
});
