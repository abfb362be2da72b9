import {
  collectionNames,
  collectionViews,
  mergedShards,
  missingShards,
  reachablePeers,
  transfers,
  unreachablePeers,
} from './shards.ts';
import type { ClusterView, Member, ReachablePeer } from './view.ts';

/** Members that no answering peer is: dead, gone for good, or not in the connection's list of addresses. */
export function staleMembers(view: ClusterView): Member[] {
  const present = new Set(reachablePeers(view).map((peer) => peer.peerId));
  const members = new Map(
    reachablePeers(view).flatMap((peer) => peer.members.map((member) => [member.peerId, member])),
  );
  return [...members.values()].filter(({ peerId }) => !present.has(peerId));
}

/** Peers that answer but that another peer doesn't count among the members: a second cluster under the same name (S10), or a removed peer. */
export const strangers = (view: ClusterView): ReachablePeer[] => {
  const peers = reachablePeers(view).filter((peer) => peer.distributed);
  return peers.filter((peer) => peers.some((other) => !other.members.some(({ peerId }) => peerId === peer.peerId)));
};

/** What the peers see differently, in words; empty when they agree. */
export function disagreements(view: ClusterView): string[] {
  const peers = reachablePeers(view);
  const differ = (what: string, of: (peer: ReachablePeer) => unknown): string[] => {
    const seen = new Set(peers.map((peer) => JSON.stringify(of(peer))));
    return seen.size > 1 ? [what] : [];
  };
  return [
    ...differ('the members', ({ members }) => members),
    ...differ('the collections', ({ collections }) => collections.map(({ name }) => name).sort()),
    ...differ('the aliases', ({ aliases }) => aliases.map(({ alias, collection }) => `${alias} ${collection}`).sort()),
    ...collectionNames(view).flatMap((name) => {
      const seen = collectionViews(view, name).map(({ shards }) =>
        JSON.stringify(shards.map(({ id, replicas }) => [id, replicas.map(({ peerId, state }) => [peerId, state])])),
      );
      return new Set(seen).size > 1 ? [`the replicas of ${name}`] : [];
    }),
  ];
}

/**
 * Why a cluster is not at rest, in words; empty = settled. That must hold for a settling time before a peer is
 * stopped: right after a restart every view still says Active, and stopping the next one then lost points (S4).
 */
export function unsettled(view: ClusterView): string[] {
  const peers = reachablePeers(view);
  const distributed = peers.filter((peer) => peer.distributed);
  const running = transfers(view);
  const commits = new Set(distributed.map(({ raft }) => raft.commit));
  const leaders = new Set(distributed.map(({ raft }) => raft.leader));
  return [
    ...(view.peers.length === 0 ? ['no peer is known'] : []),
    ...unreachablePeers(view).map(({ name, error }) => `peer ${name} does not answer: ${error}`),
    ...distributed
      .filter(({ consensus }) => consensus !== 'working')
      .map(({ name, consensus }) => `consensus of peer ${name} is ${consensus}`),
    ...distributed
      .filter(({ raft }) => raft.pendingOperations > 0)
      .map(({ name, raft }) => `peer ${name} has ${raft.pendingOperations} operations to apply`),
    ...distributed.filter(({ raft }) => !raft.isVoter).map(({ name }) => `peer ${name} has no vote yet`),
    ...staleMembers(view).map(({ peerId, uri }) => `member ${peerId} (${uri}) is none of the peers that answer`),
    ...(commits.size > 1 ? [`peers are at different commits: ${[...commits].join(', ')}`] : []),
    ...(leaders.size > 1 || leaders.has(undefined) ? ['the peers name no common leader'] : []),
    ...disagreements(view).map((what) => `peers differ in ${what}`),
    ...missingShards(view).map(
      ({ collection, missing }) => `${missing} shards of ${collection} have no replica at all`,
    ),
    ...mergedShards(view).flatMap(({ collection, id, replicas }) =>
      replicas
        .filter(({ state }) => state !== 'Active')
        .map(({ peerId, state }) => `shard ${id} of ${collection} is ${state} on peer ${peerId}`),
    ),
    ...(running.length > 0 ? [`${running.length} shard transfers run`] : []),
  ];
}

/** At this moment all peers answer, agree and have nothing to do. */
export const settled = (view: ClusterView): boolean => unsettled(view).length === 0;
