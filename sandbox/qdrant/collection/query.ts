import { EngineError } from '../base/errors.ts';
import { arrayOf, isArray, isObject, type Json, type JsonObject, maybeNumber, stringifyJson } from '../base/json.ts';
import type { Engine } from '../engine.ts';
import { type PointId, parsePointId, type VectorValue } from '../shard/point.ts';
import { nearestFirst, smallerIsNearer } from '../shard/search.ts';
import { parseVector } from '../shard/vectors.ts';
import { type CollectionState, denseVectors, type ShardKey } from '../state/types.ts';
import { type FoundPoint, retrievePoints, scrollPoints } from './points.ts';
import { readShards, shardsFor } from './reads.ts';
import { checkRead } from './strict-mode.ts';

export type ScoredPoint = FoundPoint & { readonly score: number };
export type Query = {
  readonly query: Json | undefined;
  readonly using: string;
  readonly filter: Json | undefined;
  readonly limit: number;
  /** What strict mode limits: only a limit that was asked for. */
  readonly explicitLimit: number | undefined;
  readonly offset: number;
  readonly scoreThreshold: number | undefined;
  readonly prefetch: readonly Query[];
  readonly shardKeys: readonly ShardKey[] | undefined;
};

const UNBUILT = ['recommend', 'discover', 'context', 'order_by', 'formula', 'relevance_feedback'];
const RRF_CONSTANT = 2;
const PREFETCH_LIMIT = 10;

/** Reads a query; `prefetch` may be one or many. */
export function readQuery(
  body: JsonObject,
  options: { limit: number; shardKeys: readonly ShardKey[] | undefined },
): Query {
  const prefetch = isArray(body.prefetch)
    ? body.prefetch
    : body.prefetch === undefined || body.prefetch === null
      ? []
      : [body.prefetch];
  return {
    query: body.query ?? undefined,
    using: typeof body.using === 'string' ? body.using : '',
    filter: body.filter ?? undefined,
    limit: options.limit,
    explicitLimit: maybeNumber(body, 'limit'),
    offset: maybeNumber(body, 'offset') ?? 0,
    scoreThreshold: maybeNumber(body, 'score_threshold'),
    shardKeys: options.shardKeys,
    prefetch: prefetch.map((item) => {
      if (!isObject(item)) throw new EngineError('Format', 'prefetch: expected an object');
      return readQuery(item, { limit: maybeNumber(item, 'limit') ?? PREFETCH_LIMIT, shardKeys: options.shardKeys });
    }),
  };
}

/** The best points for a query, by exact search. */
export async function queryPoints(engine: Engine, collection: CollectionState, query: Query): Promise<ScoredPoint[]> {
  checkRead(collection, { limit: query.explicitLimit, filter: query.filter });
  const prefetched = await Promise.all(query.prefetch.map((inner) => queryPoints(engine, collection, inner)));
  if (isObject(query.query) && query.query.fusion !== undefined) return fuse(query, prefetched);
  if (isObject(query.query) && query.query.rrf !== undefined)
    return fuse({ ...query, query: { fusion: 'rrf' } }, prefetched);
  if (isObject(query.query) && query.query.sample === 'random') return await sampled(engine, collection, query);
  if (query.query === undefined)
    return query.prefetch.length > 0 ? (prefetched[0] ?? []) : await listed(engine, collection, query);
  const { vector, exclude } = await queryVector(engine, collection, query);
  const within = query.prefetch.length > 0 ? prefetched.flat().map(({ point }) => point.id) : undefined;
  return await nearest(engine, collection, { query, vector, exclude, within });
}

/** Without a query the points come by id, with score 1. */
async function listed(engine: Engine, collection: CollectionState, query: Query): Promise<ScoredPoint[]> {
  const { points } = await scrollPoints(engine, collection, {
    limit: query.limit + query.offset,
    filter: query.filter,
    shardKeys: query.shardKeys,
    unreadable: 'panic',
  });
  return points.slice(query.offset).map((found) => ({ ...found, score: 1 }));
}

/** Different points in no order, each with score 1; all of them where the limit allows (measured, 1.18.3). */
async function sampled(engine: Engine, collection: CollectionState, query: Query): Promise<ScoredPoint[]> {
  const { points } = await scrollPoints(engine, collection, {
    limit: Number.MAX_SAFE_INTEGER - 1,
    filter: query.filter,
    shardKeys: query.shardKeys,
    unreadable: 'panic',
  });
  const drawn = points.map((found) => ({ found, at: Math.random() })).toSorted((a, b) => a.at - b.at);
  return drawn.slice(0, query.limit).map(({ found }) => ({ ...found, score: 1 }));
}

type Nearest = {
  query: Query;
  vector: VectorValue;
  exclude: PointId | undefined;
  within: readonly PointId[] | undefined;
};

async function nearest(engine: Engine, collection: CollectionState, options: Nearest): Promise<ScoredPoint[]> {
  const { query, vector, exclude, within } = options;
  const filter = narrowed(query.filter, { exclude, within });
  const answers = await readShards<'search'>(engine, collection, {
    request: {
      kind: 'search',
      search: {
        vector,
        using: query.using,
        filter,
        limit: query.limit + query.offset,
        scoreThreshold: query.scoreThreshold,
      },
    },
    shards: shardsFor(collection, query.shardKeys),
    unreadable: 'panic',
  });
  const hits = answers.flatMap(({ shard, answer }) => answer.map((hit) => ({ ...hit, shardKey: shard.key })));
  return nearestFirst(hits, smallerIsNearer(collection.config.params, query.using)).slice(
    query.offset,
    query.offset + query.limit,
  );
}

function narrowed(
  filter: Json | undefined,
  options: { exclude: PointId | undefined; within: readonly PointId[] | undefined },
): Json | undefined {
  const must: Json[] = [];
  if (filter !== undefined) must.push(filter);
  if (options.within) must.push({ has_id: [...options.within] });
  if (options.exclude !== undefined) must.push({ must_not: [{ has_id: [options.exclude] }] });
  return must.length === 0 ? undefined : { must };
}

async function queryVector(
  engine: Engine,
  collection: CollectionState,
  query: Query,
): Promise<{ vector: VectorValue; exclude: PointId | undefined }> {
  const given = isObject(query.query) && query.query.nearest !== undefined ? query.query.nearest : query.query;
  if (isObject(given)) {
    const name = UNBUILT.find((unbuilt) => given[unbuilt] !== undefined);
    if (name !== undefined) throw new EngineError('NotBuilt', `query by ${name}`);
    if (given.text !== undefined)
      throw new EngineError(
        'BadInput',
        'InferenceService is not initialized. Please check if it was properly configured and initialized during startup.',
      );
  }
  if (isArray(given) || isObject(given)) {
    checkKnown(collection, query.using);
    return { vector: parseVector(query.using, given, collection.config.params), exclude: undefined };
  }
  const id = parsePointId(given ?? null);
  const [found] = await retrievePoints(engine, collection, { ids: [id] });
  if (!found) throw new EngineError('NotFound', `No point with id ${id} found`);
  const vector = found.point.vectors[query.using];
  if (vector === undefined) {
    checkKnown(collection, query.using);
    throw new EngineError('NotFound', `Vector with name ${query.using} for point ${id} not found`);
  }
  return { vector, exclude: id };
}

function checkKnown(collection: CollectionState, using: string): void {
  const { params } = collection.config;
  if (denseVectors(params)[using] === undefined && params.sparse_vectors?.[using] === undefined) {
    throw new EngineError('BadInput', `Not existing vector name error: ${using}`);
  }
}

/** Reciprocal rank fusion of the prefetches. */
function fuse(query: Query, prefetched: readonly (readonly ScoredPoint[])[]): ScoredPoint[] {
  const fusion = isObject(query.query) ? query.query.fusion : undefined;
  if (fusion !== 'rrf') throw new EngineError('NotBuilt', `fusion ${stringifyJson(fusion)}`);
  const scores = new Map<PointId, ScoredPoint>();
  for (const list of prefetched) {
    for (const [rank, hit] of list.entries()) {
      const score = (scores.get(hit.point.id)?.score ?? 0) + 1 / (rank + RRF_CONSTANT);
      scores.set(hit.point.id, { ...hit, score });
    }
  }
  const best = nearestFirst([...scores.values()], false);
  const threshold = query.scoreThreshold ?? Number.NEGATIVE_INFINITY;
  return best.filter(({ score }) => score > threshold).slice(query.offset, query.offset + query.limit);
}

/** Queries of a batch share nothing but the collection. */
export const searchesOf = (body: JsonObject): readonly Json[] => arrayOf(body.searches, 'searches');
