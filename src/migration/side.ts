import type { Point, PointId, ShardKey } from '../qdrant/types.ts';
import type { PageOf } from './keyed-pages.ts';
import type { Listed } from './listed.ts';

export type InventoryPage = PageOf<Listed>;
export type Page = { readonly points: readonly Point[]; readonly nextOffset: PointId | undefined };

/** One collection as each peer that was asked shows it. */
export type SideState = {
  /** Peers that did not answer, with what they said instead. */
  readonly silent: readonly { readonly peer: string; readonly error: string }[];
  readonly peers: readonly PeerState[];
};

export type PeerState = {
  readonly peer: string;
  readonly exists: boolean;
  /** Shards without a readable replica, or with none at all, as this peer sees it. */
  readonly unreadableShards: readonly number[];
  /** Replicas in another state than Active: `shard <id> on <peer id> is <state>`. */
  readonly inactive: readonly string[];
  readonly transfers: number;
  /** Nonce of the fence in the collection's metadata. */
  readonly fence: string | undefined;
  /** Operations that are acknowledged but not applied; undefined where this Qdrant doesn't say (before 1.17). */
  readonly updateQueue: number | undefined;
  /** Aliases that lead to the collection. */
  readonly aliases: readonly string[];
};

/** What one round of writes that change nothing came to. */
export type Probe = {
  readonly refused: number;
  /** Each of these has used up a token, or met no limiter. */
  readonly passed: number;
  /** What the first one was answered that neither passed nor was refused by the limiter. */
  readonly unclear: string | undefined;
};

export type Neighbour = { readonly id: PointId; readonly score: number };
export type NearestQuery = { readonly vector: readonly number[]; readonly using?: string; readonly limit: number };

/** All that copying needs of a collection, at either end. */
export interface Side {
  readonly collection: string;
  /** Points in the order of ids from `offset` (inclusive) on, with vectors and payload. */
  page(offset: PointId | undefined, limit: number): Promise<Page>;
  /** Ids from `offset` (inclusive) on, with what tells whether a point has changed; undefined where nothing does. */
  inventory?(offset: PointId | undefined, limit: number): Promise<InventoryPage | undefined>;
  /** The points that exist among those named, with vectors and payload, in no promised order. */
  retrieve?(points: readonly Listed[]): Promise<readonly Point[]>;
  /**
   * Stays the same for as long as versions can be compared: equal ones then mean that nothing has changed. Undefined:
   * they say nothing.
   */
  lineage?(): Promise<string | undefined>;
  /** How many writes there were, within a lineage: grows by one for each to one shard. Undefined: nobody can tell. */
  stamp?(): Promise<number | undefined>;
  /** Returns when the points can be read. */
  upsert(points: readonly Point[]): Promise<void>;
  /** Returns when the points are gone. */
  remove(ids: readonly PointId[], shardKey: ShardKey | undefined): Promise<void>;
  /** Exact. Says nothing about a shard that can't be read (S2): look at `state` before and after. */
  count(): Promise<number>;
  state(): Promise<SideState>;
  /** Nearest points by an exact search; undefined where the collection's limits refuse one. Not every side can. */
  nearest?(query: NearestQuery): Promise<readonly Neighbour[] | undefined>;
  /** One round of writes that change nothing, through every peer to every shard. */
  probeWrites(signal: AbortSignal): Promise<Probe>;
}

/** Why what is read from a collection may be incomplete; undefined when every peer shows every shard readable. */
export function unreadable({ silent, peers }: SideState): string | undefined {
  const [quiet] = silent;
  if (quiet !== undefined) return `peer ${quiet.peer} doesn't answer: ${quiet.error}`;
  if (peers.length === 0) return 'no peer answers';
  const missing = peers.find(({ exists }) => !exists);
  if (missing !== undefined) return `peer ${missing.peer} doesn't know the collection`;
  const partial = peers.find(({ unreadableShards }) => unreadableShards.length > 0);
  if (partial === undefined) return undefined;
  return `shards ${partial.unreadableShards.join(', ')} have no readable replica in the view of peer ${partial.peer}`;
}

/** The nonce that every peer shows; undefined while a peer is silent, shows none or shows another. */
export function commonFence({ silent, peers }: SideState): string | undefined {
  const nonce = peers[0]?.fence;
  return silent.length === 0 && peers.every(({ fence }) => fence === nonce) ? nonce : undefined;
}

/**
 * Why limiters may change without a word; undefined while every peer shows every replica Active. Only of an Active
 * replica Qdrant limits the writes.
 */
export function restless({ silent, peers }: SideState): string | undefined {
  const [quiet] = silent;
  if (quiet !== undefined) return `peer ${quiet.peer} doesn't answer: ${quiet.error}`;
  for (const { peer, inactive, transfers } of peers) {
    if (inactive[0] !== undefined) return `the replica of ${inactive[0]} in the view of peer ${peer}`;
    if (transfers > 0) return `${transfers} shard transfers run in the view of peer ${peer}`;
  }
  return undefined;
}

/** Whether every peer answers and shows the alias on this collection. */
export const aliasedEverywhere = ({ silent, peers }: SideState, alias: string): boolean =>
  silent.length === 0 && peers.length > 0 && peers.every(({ aliases }) => aliases.includes(alias));

/** Whether some peer that answers shows the alias on this collection. */
export const aliasedSomewhere = ({ peers }: SideState, alias: string): boolean =>
  peers.some(({ aliases }) => aliases.includes(alias));

/** Operations still queued on some peer; undefined where a peer doesn't tell. */
export function queued({ peers }: SideState): number | undefined {
  const lengths = peers.map(({ updateQueue }) => updateQueue);
  return lengths.every((length) => length !== undefined) ? lengths.reduce((sum, length) => sum + length, 0) : undefined;
}
