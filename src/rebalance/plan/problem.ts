import type { Capacity, Dimension, Load } from '../load.ts';

/** A cluster among which libraries move. One whose capacity nobody knows does not take part. */
export type PlanCluster = {
  readonly name: string;
  /** Of its oldest peer. */
  readonly version: string;
  readonly capacity: Capacity;
  /** Load that no move takes away: what is no library, and what the processes need for themselves. */
  readonly fixed: Load;
  readonly ready: boolean;
};

export type LastMove = {
  readonly from: string;
  /** When it ended, in milliseconds since the epoch. */
  readonly endedAt: number;
  readonly seconds: number;
};

export type PlanLibrary = {
  readonly name: string;
  readonly cluster: string;
  /** Its part of the load of its cluster. */
  readonly load: Load;
  /** What a move copies. */
  readonly bytes: number;
  /** Its spec names its cluster. */
  readonly pinned: boolean;
  /** It is being optimised, changed or copied. */
  readonly busy: boolean;
  /** Clusters that its selector matches; undefined: all. */
  readonly targets?: readonly string[] | undefined;
  readonly lastMove?: LastMove | undefined;
};

export type Problem = {
  readonly clusters: readonly PlanCluster[];
  readonly libraries: readonly PlanLibrary[];
  /** Shares of a cluster's capacity above which nothing may be put on it. */
  readonly limits: Readonly<Partial<Record<Dimension, number>>>;
  readonly maxMoves: number;
  /** Undefined: no limit. */
  readonly maxBytes?: number | undefined;
  /** Whether what has left a cluster still takes its memory and disk until long after the plan. */
  readonly keepsSource: boolean;
  /** Imbalance that is good enough: below it fewer bytes count, not balance. 1 asks for the best there is. */
  readonly goal: number;
};

export type Move = { readonly library: string; readonly from: string; readonly to: string; readonly bytes: number };
