import type { ReverseProgress } from '../../migration/index.ts';

/** What a pass knows of comparing what serves with what a move has left. */
export type ReverseWorld = {
  /** Of whatever runs have left one. */
  readonly progress: readonly ReverseProgress[];
  /** Whether a Job or a ConfigMap of it is there. */
  readonly objects: boolean;
};
