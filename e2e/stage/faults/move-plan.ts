import type { GenerationChange } from '../../../src/api/index.ts';
import { type Dice, diceOf, type Fault, inAnyOrder } from './dice.ts';

/** The steps of a move as the status shows them, and that it is over. The compiler misses one that is added. */
const ORDER = {
  Probed: 0,
  Building: 1,
  Copying: 2,
  Converging: 3,
  Fenced: 4,
  Verified: 5,
  Switched: 6,
  Moved: 7,
} as const satisfies Record<GenerationChange['step'] | 'Moved', number>;
export type MoveState = keyof typeof ORDER;
export const MOVE_STATES = Object.keys(ORDER) as readonly MoveState[];

export const MOVE_VICTIMS = ['operator', 'worker', 'gateway', 'source peer', 'target peer', 'API server'] as const;
export type MoveVictim = (typeof MOVE_VICTIMS)[number];

/** Where a move has a worker: it is made when the target stands, and ends before the move does. */
const WORKER_STATES: ReadonlySet<MoveState> = new Set(['Copying', 'Converging', 'Fenced', 'Verified', 'Switched']);

export type LoadMix = {
  /** Points before the move is ordered. */
  readonly points: number;
  /** Of one write. */
  readonly batch: number;
  /** Shares of the writes; the others bring new points. */
  readonly updates: number;
  readonly deletes: number;
  readonly pauseMilliseconds: number;
};

/** What one seed is: a move of one library, what writes to it meanwhile, and what is killed when. */
export type MovePlan = {
  readonly seed: number;
  readonly engine: NonNullable<GenerationChange['engine']>;
  readonly shards: number;
  readonly replicationFactor: 1 | 2;
  readonly access: 'gateway' | 'binding';
  readonly direction: 'there' | 'back';
  readonly mix: LoadMix;
  /** When it is ordered, after the first of its group. */
  readonly startMilliseconds: number;
  readonly faults: readonly Fault<MoveVictim, MoveState>[];
};

export type Cell = { readonly victim: MoveVictim; readonly state: MoveState };

/** Every victim at every state that it has. */
export const MOVE_CELLS: readonly Cell[] = MOVE_VICTIMS.flatMap((victim) =>
  MOVE_STATES.filter((state) => victim !== 'worker' || WORKER_STATES.has(state)).map((state) => ({ victim, state })),
);

/** As many seeds as there are cells play each of them. The same order for ever: a seed is what it was. */
const CELL_OF_SEED = inAnyOrder(MOVE_CELLS, 50);

/** A pure function of the seed. */
export function movePlan(seed: number): MovePlan {
  const dice = diceOf(seed);
  const { between, chance } = dice;
  return {
    seed,
    faults: faultsOf(seed, dice),
    engine: chance(0.5) ? 'ShardSnapshot' : 'Scroll',
    shards: between(1, 3),
    replicationFactor: chance(0.5) ? 2 : 1,
    access: chance(0.5) ? 'gateway' : 'binding',
    direction: chance(0.5) ? 'there' : 'back',
    mix: {
      points: between(40, 400),
      batch: between(1, 8),
      updates: between(10, 40) / 100,
      deletes: between(5, 20) / 100,
      pauseMilliseconds: between(80, 250),
    },
    startMilliseconds: between(0, 4000),
  };
}

/** One, and for half of the seeds a second one, at the same state or a later one. */
function faultsOf(seed: number, { between, chance, oneOf, moment }: Dice): Fault<MoveVictim, MoveState>[] {
  const first = CELL_OF_SEED(seed);
  const later = MOVE_CELLS.filter((cell) => cell !== first && ORDER[cell.state] >= ORDER[first.state]);
  const cells = chance(0.5) ? [first, oneOf(later)] : [first];
  return cells.map((cell) => ({ ...cell, afterMilliseconds: chance(0.5) ? 0 : between(10, moment) }));
}

/** One line for the reader of a run. */
export const toldOfMove = ({
  seed,
  engine,
  shards,
  replicationFactor,
  access,
  direction,
  mix,
  faults,
}: MovePlan): string => {
  const where = `${engine}, ${shards} shards x ${replicationFactor}, ${direction}, by ${access}`;
  const load = `${mix.points} points, writes of ${mix.batch}, ${Math.round(mix.updates * 100)} % updates, ${Math.round(mix.deletes * 100)} % deletes`;
  const what = faults.map(({ victim, state, afterMilliseconds }) => `${victim} at ${state} + ${afterMilliseconds} ms`);
  return `seed ${seed}: ${where}; ${load}; ${what.join('; ')}`;
};
