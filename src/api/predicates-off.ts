import { ANNOTATIONS } from './names.ts';
import type { ObjectMeta } from './object.ts';

/** Names of the predicates that an object's annotation switches off; `*` stands for all. */
export function disabledPredicates({ metadata }: { readonly metadata: ObjectMeta }): ReadonlySet<string> {
  const names = metadata.annotations?.[ANNOTATIONS.disablePredicates] ?? '';
  return new Set(
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );
}

export const isDisabled = (disabled: ReadonlySet<string>, name: string): boolean =>
  disabled.has('*') || disabled.has(name);

type Refusal = { readonly name: string; readonly reason: string };

/**
 * Refusals that are passed over because their predicates are switched off: each is a use of the annotation.
 *
 * @param strict what would refuse if no predicate were switched off
 */
export function overruled<T extends Refusal>(disabled: ReadonlySet<string>, strict: () => readonly T[]): T[] {
  if (disabled.size === 0) return [];
  const refusals = strict().filter(({ name }) => isDisabled(disabled, name));
  return [...new Map(refusals.map((refusal) => [refusal.name, refusal])).values()];
}

/** What is recorded on the object at each use. Without figures: what is told again is counted, not told anew. */
export const overruledEvent = ({ name }: Refusal) =>
  ({
    type: 'Warning',
    reason: 'PredicatesDisabled',
    action: 'Decide',
    note: `predicate ${name} refuses and is passed over: the annotation switches it off`,
  }) as const;
