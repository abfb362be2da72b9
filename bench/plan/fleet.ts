import { NO_LOAD } from '../../src/rebalance/load.ts';
import type { PlanLibrary, Problem } from '../../src/rebalance/plan/problem.ts';
import { randomNumbers } from '../../src/vectors/index.ts';

const GIGABYTE = 1024 ** 3;

export type Size = {
  readonly libraries: number;
  readonly clusters: number;
  readonly maxMoves: number;
  /** Whether what is large in one dimension is so in its likes: requests and work; memory, disk and points. */
  readonly alike?: boolean;
};

/** Heavy-tailed loads on clusters of different size; memory and disk half full, cores a quarter. */
export function fleet({ libraries: count, clusters: wide, maxMoves, alike = false }: Size, seed: number): Problem {
  const random = randomNumbers(seed);
  const spread = (by: number): number =>
    Math.exp(by * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
  const sizes = Array.from({ length: wide }, () => 1 + Math.floor(random() * 3));
  const libraries = Array.from({ length: count }, (_, index): PlanLibrary => {
    const [traffic, size] = alike ? [spread(0.9), spread(0.9)] : [undefined, undefined];
    const heavy = (base: number | undefined): number => (base === undefined ? spread(0.9) : base * spread(0.3));
    const disk = heavy(size) * 4 * GIGABYTE;
    return {
      name: `l${index}`,
      cluster: `c${Math.floor(random() ** 1.3 * wide)}`,
      pinned: false,
      busy: false,
      bytes: disk,
      load: {
        requests: heavy(traffic) * 100,
        busy: heavy(traffic) * 0.1,
        memory: heavy(size) * GIGABYTE,
        disk,
        points: heavy(size) * 1e6,
      },
    };
  });
  const total = (of: (library: PlanLibrary) => number): number =>
    libraries.reduce((sum, one) => sum + of(one), 0) / sizes.reduce((sum, size) => sum + size, 0);
  const clusters = sizes.map((size, index) => ({
    name: `c${index}`,
    version: '1.18.3',
    ready: true,
    fixed: NO_LOAD,
    capacity: {
      cores: (size * total(({ load }) => load.busy)) / 0.25,
      memoryBytes: (size * total(({ load }) => load.memory)) / 0.5,
      diskBytes: (size * total(({ load }) => load.disk)) / 0.5,
    },
  }));
  return { clusters, libraries, limits: {}, maxMoves, keepsSource: false, goal: 1 };
}
