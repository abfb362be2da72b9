import { EngineError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { Engine } from '../engine.ts';
import type { ShardOperation } from '../shard/operations.ts';
import { compareIds, type PointId, type StoredPoint } from '../shard/point.ts';
import type { CollectionState, ShardKey } from '../state/types.ts';
import { readShards, shardsFor, type Unreadable } from './reads.ts';
import { checkRead, checkWrite } from './strict-mode.ts';
import { routeOperation, updateShard } from './writes.ts';

export type FoundPoint = { readonly point: StoredPoint; readonly shardKey: ShardKey | undefined };
export type UpdateResult = { readonly operation_id: number; readonly status: 'acknowledged' | 'completed' };

/** Carries out one write on all shards it touches. */
export async function writePoints(
  engine: Engine,
  collection: CollectionState,
  write: { operation: ShardOperation; shardKey: ShardKey | undefined; wait: boolean },
): Promise<UpdateResult> {
  const { operation, wait } = write;
  checkWrite(collection, operation, () => localPoints(engine, collection));
  const parts = routeOperation(collection, operation, write.shardKey);
  const outcomes = await Promise.allSettled(
    [...parts].map(([shard, part]) => updateShard(engine, collection, { shard, operation: part, wait })),
  );
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  // Without waiting the server answers before it looks at points.
  if (failed && (wait || !(failed.reason instanceof EngineError) || failed.reason.kind !== 'NotFound'))
    throw failed.reason;
  return { operation_id: lastOperation(engine, collection), status: wait ? 'completed' : 'acknowledged' };
}

function localPoints(engine: Engine, collection: CollectionState): number {
  return collection.shards.reduce((sum, { id }) => sum + (engine.shards.get(collection.uuid, id)?.points.size ?? 0), 0);
}

function lastOperation(engine: Engine, collection: CollectionState): number {
  const numbers = collection.shards.map(({ id }) => engine.shards.get(collection.uuid, id)?.operations ?? 0);
  return Math.max(0, ...numbers);
}

type ReadOptions = { readonly shardKeys?: readonly ShardKey[] | undefined; readonly filter?: Json | undefined };

/** The next page by rising id, and where the one after begins. */
export async function scrollPoints(
  engine: Engine,
  collection: CollectionState,
  options: ReadOptions & {
    limit: number;
    explicitLimit?: number | undefined;
    unreadable?: Unreadable;
    offset?: PointId | undefined;
  },
): Promise<{ points: FoundPoint[]; next: PointId | undefined }> {
  const { limit, offset, filter } = options;
  checkRead(collection, { limit: options.explicitLimit, filter });
  const pages = await readShards<'scroll'>(engine, collection, {
    // One more than asked for tells where the next page begins.
    request: { kind: 'scroll', limit: limit + 1, offset, filter },
    shards: shardsFor(collection, options.shardKeys),
    unreadable: options.unreadable ?? 'skip',
  });
  const found = pages
    .flatMap(({ shard, answer }) => answer.points.map((point) => ({ point, shardKey: shard.key })))
    .sort((a, b) => compareIds(a.point.id, b.point.id))
    // An id that stands under several shard keys is given once, though counted under each (measured).
    .filter(({ point }, at, all) => at === 0 || compareIds(point.id, all[at - 1]?.point.id ?? point.id) !== 0);
  return { points: found.slice(0, limit), next: found[limit]?.point.id };
}

export async function countPoints(engine: Engine, collection: CollectionState, options: ReadOptions): Promise<number> {
  checkRead(collection, { filter: options.filter });
  const counts = await readShards<'count'>(engine, collection, {
    request: { kind: 'count', filter: options.filter },
    shards: shardsFor(collection, options.shardKeys),
    unreadable: 'skip',
  });
  return counts.reduce((sum, { answer }) => sum + answer, 0);
}

/** Points by id, in the order asked for, without those that don't exist. */
export async function retrievePoints(
  engine: Engine,
  collection: CollectionState,
  options: ReadOptions & { ids: readonly PointId[] },
): Promise<FoundPoint[]> {
  const answers = await readShards<'retrieve'>(engine, collection, {
    request: { kind: 'retrieve', ids: options.ids },
    shards: shardsFor(collection, options.shardKeys),
    unreadable: 'skip',
  });
  const byId = new Map(
    answers.flatMap(({ shard, answer }) => answer.map((point) => [point.id, { point, shardKey: shard.key }] as const)),
  );
  return options.ids.flatMap((id) => byId.get(id) ?? []);
}

export async function facetValues(
  engine: Engine,
  collection: CollectionState,
  options: ReadOptions & { key: string; limit: number },
): Promise<{ value: string | number | boolean; count: number }[]> {
  if (collection.payloadSchema[options.key] === undefined) {
    throw new EngineError(
      'BadRequest',
      `No appropriate index for faceting: \`${options.key}\`. Please create one to facet on this field. Check https://qdrant.tech/documentation/concepts/indexing/#payload-index to see which payload schemas support Match conditions`,
    );
  }
  const answers = await readShards<'facet'>(engine, collection, {
    request: { kind: 'facet', key: options.key, filter: options.filter },
    shards: shardsFor(collection, options.shardKeys),
    unreadable: 'skip',
  });
  const counts = new Map<string | number | boolean, number>();
  for (const { answer } of answers)
    for (const [value, count] of answer) counts.set(value, (counts.get(value) ?? 0) + count);
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    .slice(0, options.limit);
}
