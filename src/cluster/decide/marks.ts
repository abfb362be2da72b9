import { majorityAnswers, memberOf, type Topology } from '../topology.ts';
import { sizeOf, type World } from '../world.ts';

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

/**
 * Whether the last pod's peer was removed: it was a member with this volume, or is to leave, and a majority doesn't
 * know it any more. Told by its view, where it answers, that it holds no shard.
 */
export function lastPeerRemoved(world: World, topology: Topology): boolean {
  const ordinal = (world.statefulSet?.replicas ?? 0) - 1;
  if (ordinal < 1 || topology.members.length === 0 || memberOf(topology, ordinal) !== undefined) return false;
  if (!majorityAnswers(topology) || topology.disagreements.length > 0) return false;
  const own = topology.outsiders.find(({ name }) => name === `${world.cluster.metadata.name}-${ordinal}`);
  const holds = own?.collections.some(({ shards }) =>
    shards.some(({ replicas }) => replicas.some(({ peerId }) => peerId === own.peerId)),
  );
  if (holds === true) return false;
  const leaving = ordinal >= Math.max(1, sizeOf(world.cluster));
  const lived = world.claims.some(
    (claim) =>
      claim.ordinal === ordinal && claim.peer !== undefined && (own === undefined || claim.peer === String(own.peerId)),
  );
  return leaving || lived;
}

function removals(world: World, topology: Topology): Mark[] {
  if (!lastPeerRemoved(world, topology)) return [];
  const ordinal = (world.statefulSet?.replicas ?? 0) - 1;
  return world.claims
    .filter((claim) => claim.ordinal === ordinal && claim.removedPeer === undefined && !claim.terminating)
    .map(({ name, uid, peer }) => ({ claim: name, uid, peer: peer ?? 'never-joined', removed: true }));
}
