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
          .filter((claim) => claim.ordinal === ordinal && claim.peer !== String(id) && !claim.terminating)
          .map(({ name, uid }) => ({ claim: name, uid, peer: String(id), removed: false })),
  );
  return [...lived, ...removals(world, topology)];
}

/** Marks of the last pod's claims, when its peer is no member any more in the eyes of a majority. */
function removals(world: World, topology: Topology): Mark[] {
  const ordinal = (world.statefulSet?.replicas ?? 0) - 1;
  if (ordinal < 1 || memberOf(topology, ordinal) !== undefined) return [];
  if (!majorityAnswers(topology) || topology.disagreements.length > 0) return [];
  const own = topology.outsiders.find(({ name }) => name === `${world.cluster.metadata.name}-${ordinal}`);
  const holds = own?.collections.some(({ shards }) =>
    shards.some(({ replicas }) => replicas.some(({ peerId }) => peerId === own.peerId)),
  );
  if (holds === true) return [];
  const leaving = ordinal >= Math.max(1, sizeOf(world.cluster));
  return world.claims
    .filter((claim) => claim.ordinal === ordinal && claim.removedPeer === undefined && !claim.terminating)
    .filter((claim) => leaving || (own !== undefined && claim.peer === String(own.peerId)))
    .map(({ name, uid, peer }) => ({ claim: name, uid, peer: peer ?? 'never-joined', removed: true }));
}
