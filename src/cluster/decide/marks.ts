import { majorityAnswers, memberOf, type Topology } from '../topology.ts';
import { type ClaimFacts, sizeOf, type World } from '../world.ts';

/** What is written on a claim: which peer lives on it, or that this peer was removed for good. */
export type Mark = { readonly claim: string; readonly uid: string; readonly peer: string; readonly removed: boolean };

/** Notes that make it safe to empty a volume later: without one it's never touched. */
export function marks(world: World, topology: Topology): Mark[] {
  if (topology.members.length === 0) return [];
  const lived = topology.members.flatMap(({ ordinal, id, view }) =>
    view === undefined
      ? []
      : world.claims
          .filter((claim) => claim.ordinal === ordinal && !claim.terminating)
          .filter((claim) => claim.peer !== String(id) || claim.removedPeer !== undefined)
          .map(({ name, uid }) => ({ claim: name, uid, peer: String(id), removed: false })),
  );
  return [...lived, ...removals(world, topology)];
}

/** Whether a peer that isn't listed is no member. */
const isCertain = (topology: Topology): boolean =>
  topology.members.length > 0 && majorityAnswers(topology) && topology.disagreements.length === 0;

/**
 * What became of the last pod's peer: it's a member; it was removed, because a majority doesn't know it any more though
 * it was a member with this volume or is to leave; nobody can tell now; or it has yet to join.
 */
export function lastPeer(world: World, topology: Topology): 'member' | 'removed' | 'unknown' | 'new' {
  const ordinal = (world.statefulSet?.replicas ?? 0) - 1;
  if (ordinal < 1 || memberOf(topology, ordinal) !== undefined) return 'member';
  const own = topology.outsiders.find(({ name }) => name === `${world.cluster.metadata.name}-${ordinal}`);
  const lived = world.claims.some(
    (claim) =>
      claim.ordinal === ordinal && claim.peer !== undefined && (own === undefined || claim.peer === String(own.peerId)),
  );
  if (!lived && ordinal < Math.max(1, sizeOf(world.cluster))) return 'new';
  const holds = own?.collections.some(({ shards }) =>
    shards.some(({ replicas }) => replicas.some(({ peerId }) => peerId === own.peerId)),
  );
  return isCertain(topology) && holds !== true ? 'removed' : 'unknown';
}

/** Volumes without a pod on which a peer lived that nobody lists as a member. */
export const unmarkedRemovals = ({ claims, statefulSet }: World, { members }: Topology): ClaimFacts[] =>
  claims.filter(
    ({ ordinal, peer, removedPeer, terminating }) =>
      ordinal >= (statefulSet?.replicas ?? 0) &&
      peer !== undefined &&
      removedPeer === undefined &&
      !terminating &&
      !members.some((member) => member.ordinal === ordinal || String(member.id) === peer),
  );

function removals(world: World, topology: Topology): Mark[] {
  const ordinal = (world.statefulSet?.replicas ?? 0) - 1;
  const last =
    lastPeer(world, topology) === 'removed'
      ? world.claims.filter(
          (claim) => claim.ordinal === ordinal && claim.removedPeer === undefined && !claim.terminating,
        )
      : [];
  const stopped = isCertain(topology) ? unmarkedRemovals(world, topology) : [];
  return [...last, ...stopped].map(({ name, uid, peer }) => ({
    claim: name,
    uid,
    peer: peer ?? 'never-joined',
    removed: true,
  }));
}
