import { MARK_KEY } from '../../migration/index.ts';
import type { CollectionLook } from '../look.ts';
import type { Observed } from '../observed.ts';
import type { Plan } from '../plan.ts';
import type { Section, Shape } from '../shape.ts';
import type { SeenWorld } from '../world.ts';
import type { Attempt } from './attempt.ts';
import { withoutFence } from './fence.ts';
import { firstUnsent, indexNote } from './in-place.ts';

/** What users put into a collection's metadata: it travels with the points. */
export const usersMetadata = ({ info }: CollectionLook): Section => {
  const { [MARK_KEY]: _mark, ...rest } = (info.config.metadata ?? {}) as Record<string, unknown>;
  return rest;
};

const factorOf = ({ params }: Observed): number => {
  const factor = params['replication_factor'];
  return typeof factor === 'number' ? factor : 1;
};

/**
 * What a new generation takes over from the one before and no spec tells: shard keys, each of its own type and with as
 * many shards and no fewer replicas, and payload indexes that somebody else made. Those are not written down as ours.
 */
export function carryOver(
  { memory, now }: SeenWorld,
  shape: Shape,
  { from, to }: { readonly from: CollectionLook; readonly to: CollectionLook },
): Plan | undefined {
  const has = new Set(to.keyed.map(({ key }) => key));
  const lacking = to.observed.customSharding ? from.keyed.find(({ key }) => !has.has(key)) : undefined;
  if (lacking !== undefined) {
    const { key, shards, replicas } = lacking;
    const usual = shards === to.observed.shardNumber;
    // Fewer than the collection's may be what a loss has left: only a key that was given more gets its own number.
    const more = replicas > factorOf(withoutFence(from)) && replicas > factorOf(to.observed);
    const own = { ...(usual ? {} : { shards }), ...(more ? { replicas } : {}) };
    return { steps: [{ kind: 'createShardKey', collection: to.name, key, ...own }] };
  }
  const ours = from.mark?.indexes ?? [];
  const foreign = Object.entries(from.observed.indexes).filter(
    ([field]) =>
      shape.indexes[field] === undefined && !ours.includes(field) && to.observed.indexes[field] === undefined,
  );
  const attempts = foreign.map(
    ([field, schema]): Attempt => ({
      note: indexNote(to.name, field),
      step: { kind: 'createIndex', collection: to.name, field, schema },
      what: `index ${field}`,
      content: schema,
    }),
  );
  return firstUnsent(attempts, { memory, now });
}
