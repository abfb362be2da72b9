import { createHash } from 'node:crypto';
import { canonicalJson } from '../../vectors/index.ts';
import { difference } from '../diff.ts';
import type { CollectionLook } from '../look.ts';
import type { Note, Plan, Step } from '../plan.ts';
import type { Section, Shape } from '../shape.ts';
import type { Memory } from '../world.ts';
import type { Attempt } from './attempt.ts';
import { bringLimits } from './limits.ts';

export type InPlaceOptions = {
  /** Limits are left alone while a generation is filled or fenced. */
  readonly strictMode: boolean;
  readonly memory: Memory;
  readonly now: number;
};

/** Peers apply a change at slightly different times: so long an old value is no contradiction. */
const SPREAD_MILLISECONDS = 3000;
/** A change that Qdrant took and doesn't show is sent again so rarely. */
const REPEAT_MILLISECONDS = 600_000;

/**
 * What Qdrant can change without a new generation: one step at a time, first what is ours is written down, then it is
 * made. Nothing that we did not make is dropped.
 */
export function inPlace(collection: CollectionLook, shape: Shape, options: InPlaceOptions): Plan | undefined {
  const wanted = options.strictMode ? shape : { ...shape, strictMode: {} };
  const { patch, createIndexes, surplusIndexes } = difference(wanted, collection.observed);
  const attempts: Attempt[] = [];
  const limits = options.strictMode ? bringLimits(collection, shape) : undefined;
  if (limits !== undefined) attempts.push(limits);
  if (patch !== undefined) {
    const note = collection.name;
    attempts.push({
      note,
      step: { kind: 'patch', collection: collection.name, body: patch, note },
      what: Object.keys(patch).join(', '),
      content: patch,
    });
  }
  for (const { field, schema } of createIndexes) {
    const step: Step = { kind: 'createIndex', collection: collection.name, field, schema };
    attempts.push({ note: indexNote(collection.name, field), step, what: `index ${field}`, content: schema });
  }
  return (
    shardKeys(collection, shape) ??
    ownership(collection, { created: createIndexes.map(({ field }) => field), surplus: surplusIndexes }) ??
    firstUnsent(attempts, options) ??
    dropSurplus(collection, surplusIndexes)
  );
}

export const indexNote = (collection: string, field: string): string => `${collection} index ${field}`;

export const noteDigest = (content: Section): string =>
  createHash('sha256').update(canonicalJson(content)).digest('hex').slice(0, 16);

function shardKeys({ name, shardKeys: has }: CollectionLook, shape: Shape): Plan | undefined {
  const key = (shape.shardKeys ?? []).find((wanted) => !has.includes(wanted));
  return key === undefined ? undefined : { steps: [{ kind: 'createShardKey', collection: name, key }] };
}

/** An index is made only once the mark says that it is ours, so that one that was made is never taken for another's. */
function ownership(
  { name, mark, observed }: CollectionLook,
  { created, surplus }: { created: readonly string[]; surplus: readonly string[] },
): Plan | undefined {
  if (mark === undefined) return undefined;
  const ours = mark.indexes ?? [];
  const kept = ours.filter((field) => observed.indexes[field] !== undefined || created.includes(field));
  const next = [...new Set([...kept, ...created])].toSorted();
  const dropped = ours.filter((field) => !next.includes(field));
  const unclaimed = created.some((field) => !ours.includes(field));
  // What is gone is forgotten only together with something new, or when nothing else is left to drop.
  if (!unclaimed && (dropped.length === 0 || surplus.some((field) => ours.includes(field)))) return undefined;
  return { steps: [{ kind: 'mark', collection: name, mark: { ...mark, indexes: next } }] };
}

/** The first that was not sent lately; what was sent and doesn't show is waited for, then named. */
export function firstUnsent(
  attempts: readonly Attempt[],
  { memory, now }: Pick<InPlaceOptions, 'memory' | 'now'>,
): Plan | undefined {
  const sent = attempts.map((attempt) => {
    const before = memory.sentPatches.get(attempt.note);
    const same = before?.digest === noteDigest(attempt.content);
    return { ...attempt, age: same ? now - before.at : Number.POSITIVE_INFINITY };
  });
  const due = sent.find(({ age }) => age >= REPEAT_MILLISECONDS);
  if (due !== undefined) return { steps: [due.step] };
  if (sent.length === 0) return undefined;
  if (sent.some(({ age }) => age < SPREAD_MILLISECONDS)) {
    return { steps: [], waiting: { reason: 'Changing', message: 'a change spreads among the peers', seconds: 1 } };
  }
  const message = `Qdrant took a change and shows another value for: ${sent.map(({ what }) => what).join('; ')}`;
  const note: Note = { type: 'ConfigNotReflected', status: 'True', reason: 'ConfigNotReflected', message };
  return { steps: [], notes: [note] };
}

/** An index holds nothing that can't be built again, but somebody else's may be needed: only ours go. */
function dropSurplus({ name, mark }: CollectionLook, surplus: readonly string[]): Plan | undefined {
  const field = surplus.find((candidate) => mark?.indexes?.includes(candidate) === true);
  return field === undefined ? undefined : { steps: [{ kind: 'dropIndex', collection: name, field }] };
}
