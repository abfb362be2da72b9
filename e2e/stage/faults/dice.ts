import { drawn, randomNumbers } from '../../../src/vectors/index.ts';

export type Fault<Victim, State> = {
  readonly victim: Victim;
  readonly state: State;
  /** After the state was seen. */
  readonly afterMilliseconds: number;
};

/** The first fault alone, and without waiting. */
export const atOnce = <P extends { readonly faults: readonly { readonly afterMilliseconds: number }[] }>(
  plan: P,
): P => ({
  ...plan,
  faults: plan.faults.slice(0, 1).map((fault) => ({ ...fault, afterMilliseconds: 0 })),
});

export type Dice = {
  /** A whole number, both ends included. */
  readonly between: (least: number, most: number) => number;
  readonly chance: (share: number) => boolean;
  readonly oneOf: <T>(all: readonly T[]) => T;
  /** Most milliseconds that a fault waits. */
  readonly moment: number;
};

/** What a seed throws: the same for ever. */
export function diceOf(seed: number): Dice {
  const random = randomNumbers(seed * 7919);
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  return {
    between,
    chance: (share) => random() < share,
    oneOf: (all) => at(all, between(0, all.length - 1)),
    moment: 400,
  };
}

/** The elements in an order that looks random, over and over: number 1 is the first. */
export function inAnyOrder<T>(all: readonly T[], seed: number): (number: number) => T {
  const order = drawn(all.length, all.length, randomNumbers(seed));
  return (number) => at(all, order[(number - 1) % all.length] ?? 0);
}

function at<T>(all: readonly T[], index: number): T {
  if (index < 0 || index >= all.length) throw new Error(`there is no element ${index} of ${all.length}`);
  return all[index] as T;
}
