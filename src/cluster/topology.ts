import type { QdrantCluster } from '../api/index.ts';
import {
  type ClusterReport,
  type CollectionView,
  type PeerView,
  READABLE,
  type ReplicaState,
  type ReportedMember,
  shardPointsKey,
} from '../qdrant/index.ts';
import { ordinalOf, ordinalOfUri } from './names.ts';
import { isExternal, type World } from './world.ts';

export type AnsweringPeer = Extract<PeerView, { reachable: true }>;

/** A peer by the membership that the cluster agreed on. */
export type Member = {
  readonly id: number;
  readonly uri: string;
  /** Pod name, or host where there is no pod. */
  readonly name: string;
  readonly ordinal: number | undefined;
  /** Its own view; undefined while it doesn't answer. */
  readonly view: AnsweringPeer | undefined;
  /** What the one that can be asked tells of it, where it can't be asked itself. */
  readonly report: ReportedMember | undefined;
  /** `unasked`: it stands behind an address with others, and nobody tells of it. Never so in a managed cluster. */
  readonly standing: 'answers' | 'silent' | 'unasked';
};

export type Replica = {
  readonly peer: number;
  /** Distinct states over all views. */
  readonly states: readonly ReplicaState[];
  /** Whether every view lists it. */
  readonly everywhere: boolean;
};

export type Shard = {
  readonly collection: string;
  readonly id: number;
  readonly replicas: readonly Replica[];
  /** Most points that a replica holds. */
  readonly points: number;
};

export type Transfer = {
  readonly collection: string;
  readonly shard: number;
  readonly from: number;
  readonly to: number;
  /** false: a move, the source goes; true: a copy. */
  readonly sync: boolean;
};

/** One cluster out of its peers' views. */
export type Topology = {
  readonly members: readonly Member[];
  /** The views that belong together: the peers that list each other. */
  readonly views: readonly AnsweringPeer[];
  /** Peers that answer but that those don't list, or that list others than those. */
  readonly outsiders: readonly AnsweringPeer[];
  readonly silent: readonly { readonly name: string; readonly error: string; readonly status: number | undefined }[];
  readonly shards: readonly Shard[];
  readonly transfers: readonly Transfer[];
  /** Shard ids that a collection counts but no peer holds (S3), as `collection: n of m`. */
  readonly lostShards: readonly string[];
  /** What the views don't agree on, as sentences. */
  readonly disagreements: readonly string[];
};

export const isActive = (replica: Replica): boolean =>
  replica.everywhere && replica.states.length === 1 && replica.states[0] === 'Active';
export const isReadable = (replica: Replica): boolean =>
  replica.everywhere && replica.states.every((state) => READABLE.has(state));
export const isAnswering = (view: PeerView): view is AnsweringPeer => view.reachable;
export const transferKey = ({ collection, shard, from, to }: Transfer): string =>
  `${collection}/${shard}:${from}>${to}`;
export const shardName = ({ collection, id }: Pick<Shard, 'collection' | 'id'>): string => `${collection}/${id}`;

export const memberOf = (topology: Topology, ordinal: number): Member | undefined =>
  topology.members.find((member) => member.ordinal === ordinal);
export const replicasOn = (topology: Topology, peer: number): Shard[] =>
  topology.shards.filter((shard) => shard.replicas.some((replica) => replica.peer === peer));

/** Whether more than half of the members, without `except`, aren't silent. Without a majority nothing can be changed. */
export function majorityAnswers(topology: Topology, except?: number): boolean {
  const members = topology.members.filter(({ id }) => id !== except);
  return members.filter(({ standing }) => standing !== 'silent').length * 2 > members.length;
}

/** Versions that run, as far as anybody tells. */
export const versionsOf = ({ views, members }: Topology): string[] => [
  ...views.map(({ version }) => version),
  ...members.flatMap(({ report }) => report?.version ?? []),
];

/** Names of peers outside that don't list all peers of the cluster: removed ones, or founders of a cluster of their own. */
export const strangers = ({ outsiders, views }: Topology): string[] =>
  outsiders
    .filter(({ members }) => views.some(({ peerId }) => !members.some((member) => member.peerId === peerId)))
    .map(({ name }) => name);

export function topologyOf({ cluster, view }: Pick<World, 'cluster' | 'view'>): Topology {
  const peers = view?.peers ?? [];
  const answering = peers.filter(isAnswering);
  const views = mainGroup(cluster, answering);
  const members = membersOf(cluster, views, view?.report);
  return {
    members,
    views,
    outsiders: answering.filter((peer) => !views.includes(peer)),
    silent: peers.flatMap((peer) =>
      peer.reachable ? [] : [{ name: peer.name, error: peer.error, status: peer.status }],
    ),
    shards: shardsOf(views, view?.report),
    transfers: transfersOf(views),
    lostShards: lostShards(views),
    disagreements: disagreements(views, members),
  };
}

/**
 * The peers that list each other. A peer with an empty volume may have founded a cluster of its own (S10), and a
 * removed one sees only itself: the larger group is the cluster; among equals the one whose consensus works, that we
 * know, that has a leader.
 */
function mainGroup(cluster: QdrantCluster, answering: readonly AnsweringPeer[]): readonly AnsweringPeer[] {
  const lists = (one: AnsweringPeer, other: AnsweringPeer) => one.members.some(({ peerId }) => peerId === other.peerId);
  const known = new Set(
    (cluster.status?.peers ?? []).flatMap(({ state, peerId }) => (state === 'Removed' ? [] : [peerId])),
  );
  const groups = answering.map((peer) => {
    const group = answering.filter((other) => other === peer || (lists(peer, other) && lists(other, peer)));
    const leader = peer.raft.leader !== undefined && peer.members.some(({ peerId }) => peerId === peer.raft.leader);
    const rank = [group.length, Number(peer.consensus !== 'stopped'), Number(known.has(peer.peerId)), Number(leader)];
    return { group, rank };
  });
  return groups.toSorted((a, b) => compareRanks(b.rank, a.rank))[0]?.group ?? [];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

function membersOf(cluster: QdrantCluster, views: readonly AnsweringPeer[], told: ClusterReport | undefined): Member[] {
  // A server outside distributed mode lists no members: it's its own only one.
  const listed = (view: AnsweringPeer) => (view.distributed ? view.members : [{ peerId: view.peerId, uri: view.uri }]);
  const uris = new Map(views.flatMap((view) => listed(view).map(({ peerId, uri }) => [peerId, uri] as const)));
  // Behind one address nobody knows which peer answers: the address names none of them.
  const shared = isExternal(cluster) && uris.size > 1;
  const hosts = [...uris.values()].map(hostOf);
  const unique = new Set(hosts).size === hosts.length;
  return [...uris]
    .map(([id, uri]): Member => {
      const view = views.find((candidate) => candidate.peerId === id);
      const ordinal = ordinalOfUri(cluster, uri) ?? (view === undefined ? undefined : ordinalOf(cluster, view.name));
      const host = unique ? hostOf(uri) : `${hostOf(uri)}-${id}`;
      const named = shared ? undefined : view?.name;
      const name = named ?? (ordinal === undefined ? host : `${cluster.metadata.name}-${ordinal}`);
      const report = shared ? told?.members.find(({ peerId }) => peerId === id) : undefined;
      return { id, uri, name, ordinal, view, report, standing: standingOf(view, { shared, report }) };
    })
    .toSorted((a, b) => (a.ordinal ?? 0) - (b.ordinal ?? 0) || a.id - b.id);
}

function standingOf(
  view: AnsweringPeer | undefined,
  { shared, report }: { readonly shared: boolean; readonly report: ReportedMember | undefined },
): Member['standing'] {
  if (view !== undefined || report?.responsive === true) return 'answers';
  return shared && report === undefined ? 'unasked' : 'silent';
}

const hostOf = (uri: string): string => (URL.canParse(uri) ? new URL(uri).hostname : uri);

function shardsOf(views: readonly AnsweringPeer[], told: ClusterReport | undefined): Shard[] {
  type Draft = { collection: string; id: number; points: number; states: Map<number, ReplicaState[]> };
  const drafts = new Map<string, Draft>();
  for (const { collection, shard } of eachShard(views)) {
    const key = `${shard.id}/${collection}`;
    const points = told?.points.get(shardPointsKey(collection, shard.id)) ?? 0;
    const draft = drafts.get(key) ?? { collection, id: shard.id, points, states: new Map<number, ReplicaState[]>() };
    for (const { peerId, state, points: own } of shard.replicas) {
      draft.states.set(peerId, [...(draft.states.get(peerId) ?? []), state]);
      draft.points = Math.max(draft.points, own ?? 0);
    }
    drafts.set(key, draft);
  }
  return [...drafts.values()].map(({ collection, id, points, states }) => ({
    collection,
    id,
    points,
    replicas: [...states]
      .map(([peer, seen]) => ({ peer, states: [...new Set(seen)], everywhere: seen.length === views.length }))
      .toSorted((a, b) => a.peer - b.peer),
  }));
}

function eachShard(views: readonly AnsweringPeer[]) {
  return views.flatMap((view) =>
    view.collections.flatMap((collection) =>
      collection.shards.map((shard) => ({ collection: collection.name, shard })),
    ),
  );
}

function transfersOf(views: readonly AnsweringPeer[]): Transfer[] {
  const all = views.flatMap((view) =>
    view.collections.flatMap(({ name, transfers }) =>
      transfers.map(({ shardId, from, to, sync }) => ({ collection: name, shard: shardId, from, to, sync })),
    ),
  );
  return [...new Map(all.map((transfer) => [transferKey(transfer), transfer])).values()];
}

function lostShards(views: readonly AnsweringPeer[]): string[] {
  const short = views
    .flatMap((view) => view.collections)
    .filter(({ shards, shardCount }) => shards.filter(({ replicas }) => replicas.length > 0).length < shardCount)
    .map(({ name, shards, shardCount }: CollectionView) => `${name}: ${shards.length} of ${shardCount}`);
  return [...new Set(short)];
}

function disagreements(views: readonly AnsweringPeer[], members: readonly Member[]): string[] {
  if (views.some(({ distributed }) => !distributed)) return [];
  const found: string[] = [];
  const missing = views.flatMap((view) => {
    const listed = new Set(view.members.map(({ peerId }) => peerId));
    return members.filter(({ id }) => !listed.has(id)).map(({ name }) => `${view.name} doesn't list ${name}`);
  });
  found.push(...missing);
  const leaders = new Set(views.map(({ raft }) => raft.leader));
  if (leaders.size > 1) found.push('the views name different leaders');
  else if (leaders.has(undefined)) found.push('no leader is known');
  const names = new Set(views.map(({ collections }) => JSON.stringify(collections.map(({ name }) => name).toSorted())));
  if (names.size > 1) found.push('the views list different collections');
  return found;
}
