import fc from 'fast-check';
import { fleet } from '../../bench/plan/fleet.ts';
import type { PlanCluster, PlanLibrary, Problem } from '../../src/rebalance/plan/problem.ts';

const GIGABYTE = 1024 ** 3;
export const NOW = Date.UTC(2026, 0, 15, 12);

/** A cluster of one core, 10 GB of memory and 100 GB of disk, empty. */
export const cluster = (name: string, change: Partial<PlanCluster> = {}): PlanCluster => ({
  name,
  version: '1.18.3',
  ready: true,
  fixed: { requests: 0, busy: 0, memory: 0, disk: 0, points: 0 },
  capacity: { cores: 1, memoryBytes: 10 * GIGABYTE, diskBytes: 100 * GIGABYTE },
  ...change,
});

/** A library that takes a tenth of such a cluster. */
export const library = (name: string, on: string, change: Partial<PlanLibrary> = {}): PlanLibrary => ({
  name,
  cluster: on,
  load: { requests: 10, busy: 0.1, memory: GIGABYTE, disk: 10 * GIGABYTE, points: 1_000_000 },
  bytes: 10 * GIGABYTE,
  pinned: false,
  busy: false,
  ...change,
});

/** Everything on the first of three clusters. */
export const lopsided = (change: Partial<Problem> = {}): Problem => ({
  clusters: ['a', 'b', 'c'].map((name) => cluster(name)),
  libraries: Array.from({ length: 6 }, (_, index) => library(`l${index}`, 'a')),
  limits: { busy: 0.7, memory: 0.8, disk: 0.8 },
  maxMoves: 5,
  keepsSource: false,
  goal: 1,
  ...change,
});

/** Any problem that may come: full clusters, tight budgets, pinned, busy and freshly moved libraries, old versions. */
export const anyProblem: fc.Arbitrary<Problem> = fc
  .record({
    size: fc.record({
      libraries: fc.integer({ min: 0, max: 14 }),
      clusters: fc.integer({ min: 1, max: 5 }),
      maxMoves: fc.integer({ min: 0, max: 6 }),
    }),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    limit: fc.double({ min: 0.3, max: 1, noNaN: true }),
    share: fc.option(fc.double({ min: 0, max: 0.5, noNaN: true }), { nil: undefined }),
    keepsSource: fc.boolean(),
    goal: fc.constantFrom(1, 1.05),
    odd: fc.array(fc.integer({ min: 0, max: 7 }), { minLength: 20, maxLength: 20 }),
  })
  .map(({ size, seed, limit, share, keepsSource, goal, odd }) => {
    const problem = fleet(size, seed);
    const names = problem.clusters.map(({ name }) => name);
    return {
      ...problem,
      keepsSource,
      goal,
      limits: { busy: 0.7, memory: limit, disk: limit },
      maxBytes: share === undefined ? undefined : share * problem.libraries.reduce((sum, { bytes }) => sum + bytes, 0),
      clusters: problem.clusters.map((one, index) => ({
        ...one,
        ready: odd[index] !== 0,
        version: odd[index] === 1 ? '1.17.1' : '1.18.3',
      })),
      libraries: problem.libraries.map((one, index) => ({
        ...one,
        pinned: odd[index + 5] === 0,
        busy: odd[index + 5] === 1,
        targets: odd[index + 5] === 2 ? names.slice(0, 2) : undefined,
        lastMove:
          odd[index + 5] === 3
            ? { from: names[index % names.length] ?? '', endedAt: NOW - (seed % 7200) * 1000, seconds: 60 }
            : undefined,
      })),
    };
  });
