import { MARK_KEY } from '../../migration/index.ts';
import type { CollectionLook } from '../look.ts';
import type { Section, Shape } from '../shape.ts';
import type { Attempt } from './in-place.ts';

/** The strict mode that a collection has when no fence is on it. */
export function limitsOf({ observed: { strictMode }, mark }: CollectionLook): Section {
  const before = mark?.fence?.before;
  if (before === undefined) return strictMode;
  const { write_rate_limit: _fence, ...rest } = strictMode;
  const limit = before.writeRateLimit === undefined ? {} : { write_rate_limit: before.writeRateLimit };
  return { ...rest, ...limit, enabled: before.enabled };
}

export const limitsNote = (collection: string): string => `${collection} limits`;

/**
 * Switches on the limits that came over from the generation before and were off while this one was filled; what the
 * spec says of that is patched like any other field. The mark forgets it with the same entry, so it happens once.
 */
export function switchOnLimits({ name, mark }: CollectionLook, shape: Shape): Attempt | undefined {
  if (mark?.limited !== true) return undefined;
  const { limited: _limited, ...rest } = mark;
  const config = shape.strictMode['enabled'] === undefined ? { strict_mode_config: { enabled: true } } : {};
  const body = { ...config, metadata: { [MARK_KEY]: rest } };
  const note = limitsNote(name);
  return { note, step: { kind: 'patch', collection: name, body, note }, what: 'strict_mode_config', content: body };
}
