import { type ClusterClient, collectionView, isQdrantError } from '../qdrant/index.ts';
import type { Point, PointId, ShardKey } from '../qdrant/types.ts';
import { type PageOf, pageOverKeys } from './keyed-pages.ts';
import { keyOfPoint, type Listed } from './listed.ts';
import type { Side } from './side.ts';

/** A vector that a point may have, by which it is found. */
type Dense = { readonly using: string; readonly dimensions: number };
type Shape = { readonly keys: readonly ShardKey[] | undefined; readonly dense: readonly Dense[] };

/** Reads points, ids and versions; with custom sharding key by key, in the order of ids. */
export function pointReader(client: ClusterClient, collection: string) {
  let shape: Promise<Shape> | undefined;
  const known = (): Promise<Shape> => {
    shape ??= shapeOf(client, collection);
    shape.catch(() => {
      shape = undefined;
    });
    return shape;
  };
  const paged = async <T extends { readonly id: PointId }>(
    read: (shardKey: ShardKey | undefined) => Promise<PageOf<T>>,
  ): Promise<PageOf<T>> => {
    const { keys } = await known();
    return keys === undefined ? read(undefined) : pageOverKeys(keys, read);
  };
  const scroll = async (offset: PointId | undefined, limit: number, shardKey: ShardKey | undefined, whole: boolean) => {
    const from = { ...(offset === undefined ? {} : { offset }), ...(shardKey === undefined ? {} : { shardKey }) };
    const options = { limit, withVectors: whole, withPayload: whole, undecoded: true, ...from };
    const { points, nextOffset } = await client.scroll(collection, options);
    return { items: points, nextOffset };
  };
  const page: Side['page'] = async (offset, limit) => {
    const { items: points, nextOffset } = await paged((key) => scroll(offset, limit, key, true));
    return { points, nextOffset };
  };
  const listed = async (offset: PointId | undefined, limit: number): Promise<PageOf<Listed> | undefined> => {
    const { dense } = await known();
    if (dense.length === 0) return undefined;
    const { items, nextOffset } = await paged((key) => scroll(offset, limit, key, false));
    const versions = await versionsOf(client, collection, { points: items, dense });
    if (versions === undefined) return undefined;
    const all = items.map((point): Listed => {
      const { id, shardKey } = point;
      return { id, ...(shardKey === undefined ? {} : { shardKey }), version: versions.get(keyOfPoint(point)) };
    });
    return { items: all, nextOffset };
  };
  const inventory: NonNullable<Side['inventory']> = (offset, limit) => asked(() => listed(offset, limit));
  const retrieve: NonNullable<Side['retrieve']> = async (points) => {
    const found = [...Map.groupBy(points, ({ shardKey }) => shardKey)].map(([shardKey, group]) =>
      client.retrieve(
        collection,
        group.map(({ id }) => id),
        { withVectors: true, undecoded: true, ...(shardKey === undefined ? {} : { shardKey }) },
      ),
    );
    return (await Promise.all(found)).flat();
  };
  /** Shard keys come and go: they are asked for again. */
  const forget = (): void => {
    shape = undefined;
  };
  return { page, inventory, retrieve, forget };
}

async function shapeOf(client: ClusterClient, collection: string): Promise<Shape> {
  const { params } = (await client.collection(collection)).config;
  const view = collectionView(collection, await client.collectionCluster(collection));
  const keys = [...new Set(view.shards.flatMap(({ key }) => (key === undefined ? [] : [key])))];
  return { keys: params.sharding_method === 'custom' ? keys : undefined, dense: denseOf(params.vectors) };
}

function denseOf(vectors: unknown): Dense[] {
  if (typeof vectors !== 'object' || vectors === null) return [];
  const named = 'size' in vectors && typeof vectors.size === 'number' ? { '': vectors } : vectors;
  return Object.entries(named).flatMap(([using, params]: [string, { size?: unknown; multivector_config?: unknown }]) =>
    typeof params.size === 'number' && (params.multivector_config ?? null) === null
      ? [{ using, dimensions: params.size }]
      : [],
  );
}

type Wanted = { readonly points: readonly Point[]; readonly dense: readonly Dense[] };

/** By key; points that have none of the vectors are left out. Undefined where nothing tells versions. */
async function versionsOf(
  client: ClusterClient,
  collection: string,
  { points, dense }: Wanted,
): Promise<Map<ReturnType<typeof keyOfPoint>, number | bigint> | undefined> {
  const versions = new Map<ReturnType<typeof keyOfPoint>, number | bigint>();
  for (const [shardKey, group] of Map.groupBy(points, (point) => point.shardKey)) {
    const scope = shardKey === undefined ? {} : { shardKey };
    let left = group.map(({ id }) => id);
    for (const vector of dense) {
      if (left.length === 0) break;
      const found = await client.versions(collection, left, { ...vector, ...scope });
      if (found === undefined) return undefined;
      for (const { id, version } of found) versions.set(keyOfPoint({ id, ...scope }), version);
      if (found.length < left.length) left = left.filter((id) => !versions.has(keyOfPoint({ id, ...scope })));
      else left = [];
    }
  }
  return versions;
}

/** Refused by strict mode, or unknown to this server: then there are no versions. */
async function asked<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const refused = ['BadRequest', 'Forbidden', 'RateLimited'];
    if (isQdrantError(error) && (refused.includes(error.code) || error.status === NOT_IMPLEMENTED)) return undefined;
    throw error;
  }
}

const NOT_IMPLEMENTED = 501;
