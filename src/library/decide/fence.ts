import { type Fence, fencePatch, type Mark, unfencePatch } from '../../migration/index.ts';
import type { CollectionLook } from '../look.ts';
import type { Observed } from '../observed.ts';
import type { Step } from '../plan.ts';
import type { Section } from '../shape.ts';

export const unfenceStep = (collection: string, mark: Mark): Step => ({
  kind: 'unfence',
  collection,
  body: unfencePatch(mark) as Section,
});

/** Holds back all writes to a collection that carries our mark. */
export function fenceStep({ name, mark, observed, info }: CollectionLook, to: number, now: number): Step | undefined {
  if (mark === undefined) return undefined;
  const limit = observed.strictMode['write_rate_limit'];
  const fence: Fence = {
    nonce: `g${to}-${now}`,
    at: now,
    before: {
      enabled: observed.strictMode['enabled'] === true,
      ...(typeof limit === 'number' ? { writeRateLimit: limit } : {}),
      // 1 is what Qdrant means where it says nothing.
      writeConsistencyFactor: info.config.params.write_consistency_factor ?? 1,
    },
  };
  return { kind: 'fence', collection: name, body: fencePatch(mark, fence) as Section };
}

/** What a collection is like when no fence is on it, but for its strict mode: see `limitsOf`. */
export function withoutFence({ observed, mark }: CollectionLook): Observed {
  const factor = mark?.fence?.before.writeConsistencyFactor;
  return factor === undefined
    ? observed
    : { ...observed, params: { ...observed.params, write_consistency_factor: factor } };
}

/** Lifts a fence that some peer shows; undefined when there is none. */
export const lift = ({ name, mark, fencedSomewhere }: CollectionLook): Step | undefined =>
  mark !== undefined && fencedSomewhere ? unfenceStep(name, mark) : undefined;
