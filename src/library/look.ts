import type { Mark } from '../migration/index.ts';
import { parseMark } from '../migration/index.ts';
import type { CollectionView, ReportedMember, Schemas, ShardKey } from '../qdrant/index.ts';
import { inactiveReplicas, READABLE } from '../qdrant/index.ts';
import { type Observed, observedShape } from './observed.ts';

/** What one peer says of the cluster and of the collections that concern a library. */
export type PeerLook = {
  readonly name: string;
  readonly peerId: number;
  readonly version: string;
  readonly memberIds: readonly number[];
  /** False for a Qdrant without cluster mode. */
  readonly distributed: boolean;
  readonly consensus: string;
  readonly collections: readonly string[];
  readonly aliases: Readonly<Record<string, string>>;
  readonly own: Readonly<Record<string, { readonly info: Schemas['CollectionInfo']; readonly view: CollectionView }>>;
};

export type SilentPeer = {
  readonly name: string;
  readonly error: string;
  readonly status?: number;
  readonly code?: string;
};

/** A cluster as every peer of it sees it, as far as one library goes; read at one moment. */
export type Look = {
  readonly peers: readonly PeerLook[];
  readonly silent: readonly SilentPeer[];
  /** False where all peers stand behind one address: then not every member can be asked. */
  readonly everyPeerListed: boolean;
  /** What a peer tells of all members; only where they can't be asked and it matters. */
  readonly reported?: readonly ReportedMember[];
};

/** One collection, all peers' views together. */
export type CollectionLook = {
  readonly name: string;
  readonly mark: Mark | undefined;
  readonly observed: Observed;
  /** Names of vectors, dense and sparse, that each peer shows; the unnamed one is the empty name. */
  readonly vectorsShown: readonly { readonly peer: string; readonly names: ReadonlySet<string> }[];
  readonly info: Schemas['CollectionInfo'];
  /** Peers that answer and don't list it (yet, or any more). */
  readonly unknownTo: readonly string[];
  /** Shards that some peer sees without a readable replica; -1 stands for one without any. */
  readonly unreadable: readonly number[];
  readonly transfers: number;
  /** Replicas that some peer sees in another state than Active. */
  readonly inactive: readonly string[];
  /** All peers show this fence; undefined when there is none or they differ. */
  readonly fence: string | undefined;
  /** Whether some peer shows a fence. */
  readonly fencedSomewhere: boolean;
  readonly shardKeys: readonly string[];
  /** Shard keys as Qdrant has them, with the number of shards of each, and of replicas of its best shard. */
  readonly keyed: readonly { readonly key: ShardKey; readonly shards: number; readonly replicas: number }[];
  /** Approximate number of points, as Qdrant tells it. */
  readonly points: number;
  readonly status: 'green' | 'yellow' | 'grey' | 'red';
};

const WORST = ['green', 'grey', 'yellow', 'red'] as const;

/** Undefined when no peer that answers knows the collection. */
export function collectionLook({ peers }: Look, name: string): CollectionLook | undefined {
  const seen = peers.flatMap((peer) => {
    const own = peer.own[name];
    return own === undefined ? [] : [own];
  });
  const first = seen[0];
  if (first === undefined) return undefined;
  const marks = seen.map(({ info }) => parseMark(info.config.metadata));
  const nonce = marks[0]?.fence?.nonce;
  const statuses = seen.map(({ info }) => info.status);
  return {
    name,
    mark: marks[0],
    observed: observedShape(first.info),
    vectorsShown: peers.flatMap(({ name: peer, own }) => {
      const shown = own[name];
      return shown === undefined ? [] : [{ peer, names: vectorNames(observedShape(shown.info)) }];
    }),
    info: first.info,
    unknownTo: peers.filter((peer) => peer.own[name] === undefined).map((peer) => peer.name),
    unreadable: [...new Set(seen.flatMap(({ view }) => unreadableShards(view)))],
    transfers: Math.max(...seen.map(({ view }) => view.transfers.length)),
    inactive: [...new Set(seen.flatMap(({ view }) => inactiveReplicas(view)))],
    fence: marks.every((mark) => mark?.fence?.nonce === nonce) ? nonce : undefined,
    fencedSomewhere: marks.some((mark) => mark?.fence !== undefined),
    shardKeys: [...new Set(first.view.shards.flatMap(({ key }) => (key === undefined ? [] : [String(key)])))],
    keyed: shardsByKey(first.view),
    points: Math.max(...seen.map(({ info }) => info.points_count ?? 0)),
    status: WORST.findLast((status) => statuses.includes(status)) ?? 'grey',
  };
}

function shardsByKey({ shards }: CollectionView): CollectionLook['keyed'] {
  const keyed = shards.flatMap(({ key, replicas }) => (key === undefined ? [] : [{ key, replicas: replicas.length }]));
  return [...Map.groupBy(keyed, ({ key }) => key)].map(([key, all]) => ({
    key,
    shards: all.length,
    replicas: Math.max(...all.map(({ replicas }) => replicas)),
  }));
}

const vectorNames = ({ vectors, sparse }: Observed): ReadonlySet<string> =>
  new Set([...Object.keys(vectors), ...Object.keys(sparse)]);

function unreadableShards({ shards, shardCount }: CollectionView): number[] {
  const partial = shards.filter(({ replicas }) => !replicas.some(({ state }) => READABLE.has(state)));
  // Custom sharding begins with no shard at all; a count beyond the list is a lost last replica (S3).
  return [...partial.map(({ id }) => id), ...(shardCount > shards.length && shards.length > 0 ? [-1] : [])];
}

/** Where an alias leads, by every peer that answers: one entry when they agree, `undefined` for "nowhere". */
export const aliasTargets = ({ peers }: Look, alias: string): (string | undefined)[] => [
  ...new Set(peers.map(({ aliases }) => aliases[alias])),
];

export const collectionExists = ({ peers }: Look, name: string): boolean =>
  peers.some(({ collections }) => collections.includes(name));

/** Aliases that some peer shows on a collection. */
export const aliasesOf = ({ peers }: Look, collection: string): string[] => [
  ...new Set(
    peers.flatMap(({ aliases }) =>
      Object.entries(aliases)
        .filter(([, target]) => target === collection)
        .map(([alias]) => alias),
    ),
  ),
];

/** Why consensus must not be asked to place anything now: new shards land on dead peers, too (measured, section 14). */
export function deadPeers({ peers, silent, everyPeerListed }: Look): string[] {
  const answering = new Set(peers.map(({ peerId }) => peerId));
  const members = new Set(peers.flatMap(({ memberIds }) => memberIds));
  const missing = everyPeerListed ? [...members].filter((id) => !answering.has(id)) : [];
  const stopped = peers.filter(({ consensus }) => consensus !== 'working');
  return [
    // A listed peer that is no member (yet) can't be given a shard.
    ...(missing.length > 0 || members.size === 0 ? silent.map(({ name, error }) => `${name}: ${error}`) : []),
    ...(missing.length > silent.length ? [`members ${missing.join(', ')} don't answer`] : []),
    ...stopped.map(({ name, consensus }) => `${name}: consensus ${consensus}`),
  ];
}

/** Peers of the cluster with the version that they run, as far as somebody tells it. */
export const versionsTold = ({ peers, reported = [] }: Look): { readonly peer: string; readonly version: string }[] => [
  ...peers.map(({ name, version }) => ({ peer: name, version })),
  ...reported.flatMap(({ peerId, version }) =>
    version === undefined || peers.some((peer) => peer.peerId === peerId) ? [] : [{ peer: String(peerId), version }],
  ),
];

/** Ids of members whose version nobody tells. */
export function peersOfUnknownVersion({ peers, reported = [] }: Look): number[] {
  const known = new Set([
    ...peers.map(({ peerId }) => peerId),
    ...reported.flatMap(({ peerId, version }) => (version === undefined ? [] : [peerId])),
  ]);
  return [...new Set(peers.flatMap(({ memberIds }) => memberIds))].filter((id) => !known.has(id));
}
