import { MARK_KEY } from '../../migration/index.ts';
import type { CollectionLook } from '../look.ts';
import type { Section, Shape } from '../shape.ts';
import type { Attempt } from './attempt.ts';

/** The strict mode that a collection has when no fence is on it. */
export function limitsOf({ observed: { strictMode }, mark }: CollectionLook): Section {
  const before = mark?.fence?.before;
  if (before === undefined) return strictMode;
  const { write_rate_limit: _fence, ...rest } = strictMode;
  const limit = before.writeRateLimit === undefined ? {} : { write_rate_limit: before.writeRateLimit };
  return { ...rest, ...limit, enabled: before.enabled };
}

/**
 * What a generation that is filled keeps of it in its mark. Not in its strict mode, though switched off: a shard that is
 * made or loaded obeys rate limits all the same (measured on 1.18.3), and the copy would be refused.
 */
export const limitsInMark = (limits: Section): { readonly limits?: Section } =>
  limits['enabled'] === true || Object.keys(limits).some((name) => name !== 'enabled') ? { limits } : {};

export const limitsNote = (collection: string): string => `${collection} limits`;

/**
 * Gives a generation that has been switched to the limits of the one before; what the spec says wins. The mark forgets
 * them by the same entry, so it happens once.
 */
export function bringLimits({ name, mark }: CollectionLook, shape: Shape): Attempt | undefined {
  if (mark?.limits === undefined) return undefined;
  const { limits, ...rest } = mark;
  const body = { strict_mode_config: { ...limits, ...shape.strictMode }, metadata: { [MARK_KEY]: rest } };
  const note = limitsNote(name);
  return { note, step: { kind: 'patch', collection: name, body, note }, what: 'strict_mode_config', content: body };
}

/** The smallest `max_query_limit` that a copy meets on either side, before the switch and after it. */
export function pageLimit(from: CollectionLook, to: CollectionLook, shape: Shape): number | undefined {
  const limits = [from.observed.strictMode, to.observed.strictMode, to.mark?.limits, shape.strictMode]
    .map((section) => section?.['max_query_limit'])
    .filter((limit) => typeof limit === 'number');
  return limits.length === 0 ? undefined : Math.min(...limits);
}
