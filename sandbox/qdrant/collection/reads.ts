import { asEngineError, EngineError, Panic } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { Engine } from '../engine.ts';
import type { PointId, StoredPoint } from '../shard/point.ts';
import type { Hit, Search } from '../shard/search.ts';
import type { ScrollPage, Shard } from '../shard/shard.ts';
import { type CollectionState, isReadable, type PeerId, type ShardKey, type ShardState } from '../state/types.ts';
import { takeTokens } from './limits.ts';
import { callPeer, peersWith } from './replicas.ts';
import { describeShard, type ShardDescription } from './shard-info.ts';

export type ReadRequest =
  | { readonly kind: 'retrieve'; readonly ids: readonly PointId[] }
  | {
      readonly kind: 'scroll';
      readonly offset?: PointId | undefined;
      readonly limit: number;
      readonly filter?: Json | undefined;
    }
  | { readonly kind: 'count'; readonly filter?: Json | undefined }
  | { readonly kind: 'search'; readonly search: Search }
  | { readonly kind: 'facet'; readonly key: string; readonly filter?: Json | undefined }
  | { readonly kind: 'info' };

type Answers = {
  retrieve: StoredPoint[];
  scroll: ScrollPage;
  count: number;
  search: Hit[];
  facet: Map<string | number | boolean, number>;
  info: ShardDescription;
};
type RequestOf<K extends keyof Answers> = Extract<ReadRequest, { kind: K }>;

/** Reads one local shard. */
export function readLocal(
  engine: Engine,
  collection: CollectionState,
  shardId: number,
  request: ReadRequest,
): Answers[keyof Answers] {
  const shard = engine.shards.get(collection.uuid, shardId);
  if (!shard) throw new EngineError('Service', `Local shard ${shardId} not found`);
  if (request.kind !== 'info') takeTokens(engine, collection, { shard, kind: 'read', cost: 1 });
  return answer(engine, { collection, shard, request });
}

function answer(
  engine: Engine,
  read: { collection: CollectionState; shard: Shard; request: ReadRequest },
): Answers[keyof Answers] {
  const { shard, request, collection } = read;
  switch (request.kind) {
    case 'retrieve':
      return shard.retrieve(request.ids);
    case 'scroll':
      return shard.scroll({ offset: request.offset, limit: request.limit, filter: request.filter });
    case 'count':
      return shard.count(request.filter);
    case 'search':
      return shard.search(request.search, collection.config.params);
    case 'facet':
      return shard.facet(request.key, request.filter);
    case 'info':
      return describeShard(engine, collection, shard);
  }
}

/** What a read does where a shard has no readable replica (S2). */
export type Unreadable = 'skip' | 'panic' | 'fail';

/** The shards that a request is about. */
export function shardsFor(collection: CollectionState, key: readonly ShardKey[] | undefined): ShardState[] {
  if (key === undefined) return collection.shards;
  return key.flatMap((name) => {
    const shards = collection.shards.filter((shard) => shard.key === name);
    if (shards.length === 0) throw new EngineError('BadRequest', `Shard key ${JSON.stringify(name)} not found`);
    return shards;
  });
}

/** Reads every shard once, each from one readable replica: the local one, else others in turn. */
export async function readShards<K extends keyof Answers>(
  engine: Engine,
  collection: CollectionState,
  options: { request: RequestOf<K>; shards: readonly ShardState[]; unreadable: Unreadable },
): Promise<{ shard: ShardState; answer: Answers[K] }[]> {
  const answers = await Promise.all(
    options.shards.map(async (shard) => {
      const replicas = readableReplicas(engine, collection, shard);
      if (replicas.length === 0) {
        onUnreadable(shard, options.unreadable);
        return [];
      }
      return [
        {
          shard,
          answer: (await readShard(engine, collection, { shard, replicas, request: options.request })) as Answers[K],
        },
      ];
    }),
  );
  return answers.flat();
}

function onUnreadable(shard: ShardState, how: Unreadable): void {
  if (how === 'fail') throw new EngineError('Service', '0 of 0 read operations failed');
  // S3: a shard without any replica panics even where S2 is silent.
  if (how === 'panic' || Object.keys(shard.replicas).length === 0) throw new Panic(`shard ${shard.id} is not readable`);
}

/** This peer's own first. */
function readableReplicas(engine: Engine, collection: CollectionState, shard: ShardState): PeerId[] {
  const readable = peersWith(engine, collection, { shard, holds: isReadable });
  const others = readable.filter((peer) => peer !== engine.peerId).toSorted(() => Math.random() - 0.5);
  return readable.includes(engine.peerId) ? [engine.peerId, ...others] : others;
}

async function readShard(
  engine: Engine,
  collection: CollectionState,
  read: { shard: ShardState; replicas: readonly PeerId[]; request: ReadRequest },
): Promise<unknown> {
  const errors: EngineError[] = [];
  for (const peer of read.replicas) {
    try {
      if (peer === engine.peerId) return readLocal(engine, collection, read.shard.id, read.request);
      const body = { collection: collection.name, shardId: read.shard.id, request: read.request };
      return await callPeer(engine, peer, { method: 'read', body });
    } catch (error) {
      const known = asEngineError(error);
      if (!known.transient) throw known;
      errors.push(known);
    }
  }
  const lines = errors.map((error) => `\n  ${error.message}`).join('');
  throw new EngineError('Service', `${errors.length} of ${errors.length} read operations failed:${lines}`);
}
