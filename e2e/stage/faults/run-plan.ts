import { STEPS } from '../../../src/vectorize/progress.ts';
import { diceOf, type Fault, inAnyOrder } from './dice.ts';

/** The steps of a run of a VectorizationJob; `Switching` is none of an incremental one. `Ended`: its worker says so. */
export const RUN_STATES = [...STEPS.filter((step) => step !== 'Switching'), 'Ended'] as const;
export type RunState = (typeof RUN_STATES)[number];

export const RUN_VICTIMS = ['operator', 'worker', 'embedder', 'peer', 'API server'] as const;
export type RunVictim = (typeof RUN_VICTIMS)[number];

/** Where a fault may come later than at once, and still meet it. */
const LONG: ReadonlySet<RunState> = new Set(['Listing', 'Embedding']);

/** With the run its worker has ended, and needs no embedder any more. */
const AT_WORK: ReadonlySet<RunVictim> = new Set(['worker', 'embedder']);

/** What one seed is: the second run of a job whose documents have changed, and what is killed when. */
export type RunPlan = {
  readonly seed: number;
  readonly shards: number;
  readonly replicationFactor: 1 | 2;
  /** Documents of the first run; of these so many are other ones in the second, or gone. */
  readonly documents: number;
  readonly changed: number;
  readonly gone: number;
  readonly added: number;
  readonly batchSize: number;
  readonly faults: readonly Fault<RunVictim, RunState>[];
};

export type RunCell = { readonly victim: RunVictim; readonly state: RunState };

export const RUN_CELLS: readonly RunCell[] = RUN_VICTIMS.flatMap((victim) =>
  RUN_STATES.filter((state) => state !== 'Ended' || !AT_WORK.has(victim)).map((state) => ({ victim, state })),
);

const CELL_OF_SEED = inAnyOrder(RUN_CELLS, 51);

/** Seeds of runs begin here; those below are moves. */
export const FIRST_RUN_SEED = 1001;

/** A pure function of the seed. */
export function runPlan(seed: number): RunPlan {
  const { between, chance, oneOf, moment } = diceOf(seed);
  const first = CELL_OF_SEED(seed - FIRST_RUN_SEED + 1);
  const later = RUN_CELLS.filter(
    (cell) => cell !== first && RUN_STATES.indexOf(cell.state) >= RUN_STATES.indexOf(first.state),
  );
  const cells = chance(0.4) && later.length > 0 ? [first, oneOf(later)] : [first];
  return {
    seed,
    faults: cells.map((cell) => {
      const afterMilliseconds = chance(0.6) ? 0 : between(10, moment);
      return { ...cell, afterMilliseconds: LONG.has(cell.state) ? afterMilliseconds : 0 };
    }),
    shards: between(1, 2),
    replicationFactor: chance(0.5) ? 2 : 1,
    documents: between(24, 48),
    changed: between(4, 12),
    gone: between(1, 6),
    added: between(2, 8),
    batchSize: between(2, 6),
  };
}

/** One line for the reader of a run. */
export function toldOfRun(plan: RunPlan): string {
  const { seed, shards, replicationFactor, documents, changed, gone, added, batchSize, faults } = plan;
  const what = faults.map(({ victim, state, afterMilliseconds }) => `${victim} at ${state} + ${afterMilliseconds} ms`);
  const how = `${shards} shards x ${replicationFactor}, ${documents} documents, then ${changed} others, ${gone} gone, ${added} new, batches of ${batchSize}`;
  return `seed ${seed}: ${how}; ${what.join('; ')}`;
}
