import type { Condition } from '../../api/index.ts';
import type { Reason } from '../reasons.ts';

/** A condition without its times. */
export type Fact = {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
};

const MOST = 1024;

/** Conditions out of facts: what is no fact any more is gone, and an unchanged status keeps its transition time. */
export function conditionsOf(
  facts: readonly Fact[],
  { previous, generation, now }: { previous: readonly Condition[]; generation: number; now: string },
): Condition[] {
  return facts.map(({ type, status, reason, message }) => {
    const before = previous.find((condition) => condition.type === type);
    return {
      type,
      status,
      reason,
      message: message.length <= MOST ? message : `${message.slice(0, MOST - 1)}…`,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
    };
  });
}
