import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { groundName } from '../../grounds.ts';
import { type ScenarioOptions, scenarios } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { type Coverage, words } from './coverage.ts';
import { atOnce } from './dice.ts';
import { chosenSeeds, groups, seedsText } from './seeds.ts';

/** Beside each other; each group has clusters of its own. */
const AT_ONCE = 13;

export type Struck<C> = C & { readonly shownThen: string };
type Faulted<C> = {
  readonly seed: number;
  readonly faults: readonly (C & { readonly afterMilliseconds: number })[];
};
/** What became of one seed. */
export type Outcome<P, C> = {
  readonly plan: P;
  /** Faults that were done, and the state that was shown by then. */
  readonly struck: readonly Struck<C>[];
  /** In words: what the seed decides, and what was seen. */
  readonly did: string;
  readonly seconds: number;
  /** What must not be; empty: all is well. */
  readonly wrong: readonly string[];
};

type Round<P, C extends { readonly victim: string; readonly state: string }> = {
  /** What the scenarios tell, before the seeds. */
  readonly title: string;
  /** First seed, and how many are played where every victim is to be struck at every state, on real Qdrant, elsewhere; 0: only those that are named. */
  readonly first: number;
  readonly all: number;
  readonly real: number;
  readonly few: number;
  readonly isMine: (seed: number) => boolean;
  readonly plan: (seed: number) => P;
  readonly play: (stage: Stage, plans: readonly P[]) => Promise<readonly Outcome<P, C>[]>;
  readonly coverage: Coverage<C>;
};

/** How many seeds are played when nobody names any: on real parts fewer, for they are slower and play elsewhere. */
function usual({ all, real, few }: Pick<Round<never, never>, 'all' | 'real' | 'few'>): number {
  if (groundName() !== 'embedded') return few;
  return (process.env['QDRANT_BIN'] ?? '') === '' ? all : real;
}

/** The scenarios of all seeds that are to be played, and one that looks at what they struck. */
export async function scenariosOfSeeds<
  C extends { readonly victim: string; readonly state: string },
  P extends Faulted<C>,
>(needed: ScenarioOptions, round: Round<P, C>): Promise<void> {
  const { title, first, plan, coverage } = round;
  const count = usual(round);
  const named = process.env['E2E_SEEDS'] ?? '';
  const seeds =
    named === '' && count === 0 ? [] : chosenSeeds(named, `${first}-${first + count - 1}`).filter(round.isMine);
  if (seeds.length === 0) {
    test(title, { skip: 'it plays only seeds that E2E_SEEDS names' }, () => undefined);
    return;
  }
  const scenario = await scenarios(needed);
  for (const group of groups(seeds, AT_ONCE)) {
    scenario(`${title}, seeds ${seedsText(group)}`, (stage, context) => strike(round, stage, context, group.map(plan)));
  }
  const isComplete = count === round.all && named === '';
  scenario(`${title}: everyone was struck everywhere; what was missed is played once more`, async (stage, context) => {
    const missed = isComplete ? coverage.empty.flatMap((cell) => seedFor(round, seeds, cell) ?? []) : [];
    if (missed.length > 0)
      await strike(
        round,
        stage,
        context,
        missed.map((seed) => atOnce(plan(seed))),
      );
    for (const line of coverage.table().split('\n')) context.diagnostic(line);
    if (isComplete) assert.deepEqual(coverage.empty.map(words), []);
  });
}

/** The seed whose first fault strikes there. */
const seedFor = <C extends { readonly victim: string; readonly state: string }, P extends Faulted<C>>(
  { plan }: Round<P, C>,
  seeds: readonly number[],
  { victim, state }: C,
): number | undefined =>
  seeds.find((seed) => {
    const [fault] = plan(seed).faults;
    return fault?.victim === victim && fault.state === state;
  });

/** Plays seeds beside each other, tells what became of each, and fails with those that broke a promise. */
async function strike<C extends { readonly victim: string; readonly state: string }, P extends Faulted<C>>(
  { play, coverage }: Round<P, C>,
  stage: Stage,
  context: TestContext,
  plans: readonly P[],
): Promise<void> {
  const outcomes = await play(stage, plans);
  for (const { struck, did, seconds } of outcomes) {
    for (const cell of struck) coverage.count(cell);
    const met = struck.map(({ victim, state, shownThen }) => `${victim} at ${state} (then ${shownThen})`);
    context.diagnostic(`${did}; struck: ${met.join(', ') || 'nobody'}; ${seconds.toFixed(1)} s`);
  }
  const broken = outcomes.filter(({ wrong }) => wrong.length > 0);
  const why = broken.map(({ did, wrong }) => `${did}\n  ${wrong.join('\n  ')}`);
  const alone = seedsText(broken.map(({ plan: { seed } }) => seed));
  const all = seedsText(outcomes.map(({ plan: { seed } }) => seed));
  const again = `again: E2E_SEEDS=${alone}, or with their neighbours E2E_SEEDS=${all}`;
  assert.equal(broken.length, 0, `${why.join('\n')}\n${again}`);
}
