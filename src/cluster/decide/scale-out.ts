import type { Situation } from '../predicates.ts';
import { firstFew } from '../settled.ts';
import { memberOf, type Topology } from '../topology.ts';
import { sizeOf, type World } from '../world.ts';
import { keepers, nothingToKeep, stillJoining } from './keepers.ts';
import { lastPeer, unmarkedRemovals } from './marks.ts';
import { balancingMoves, freeSlots } from './placement.ts';
import { gated, type Proposal } from './step.ts';

/**
 * Number of pods to hold or to raise to. It never falls here: pods are stopped by a step of their own.
 * One pod until the cluster is founded, so that no other can found a second one; unless volumes of an earlier life
 * are there, whose peers know their cluster.
 */
export function replicasWanted(world: World, topology: Topology): number {
  const size = Math.max(1, sizeOf(world.cluster));
  const current = world.statefulSet?.replicas ?? 0;
  if (world.cluster.status?.founded === undefined) {
    return earlierClaims(world).length > 0 ? Math.max(size, current) : Math.max(1, current);
  }
  const known = (world.cluster.status.peers ?? []).flatMap(({ ordinal, state }) =>
    ordinal === undefined || state === 'Removed' ? [] : [ordinal + 1],
  );
  // A member whose pod somebody took away must come back before it can be drained.
  const members = topology.members.flatMap((member) =>
    member.ordinal === undefined || nothingToKeep(world, topology, member) ? [] : [member.ordinal + 1],
  );
  const floor = Math.max(current, ...(world.statefulSet === undefined ? known : members));
  const stale = staleOrdinals(world, topology).filter((ordinal) => ordinal >= floor);
  // The pod of a removed peer must go first: it can't come back as it is. Where nobody can tell, nothing is added.
  const last = lastPeer(world, topology);
  return last === 'removed' || last === 'unknown' ? current : Math.max(floor, Math.min(size, ...stale));
}

/** Claims that are older than this object: its pods ran before under another one of the same name. */
export const earlierClaims = ({ cluster, claims }: World) => {
  const created = Date.parse(cluster.metadata.creationTimestamp ?? '');
  return claims.filter(({ createdAt }) => createdAt < created);
};

/** Volumes of removed peers, whether marked already or not. */
const staleOrdinals = (world: World, topology: Topology): number[] => [
  ...world.claims.filter(({ removedPeer }) => removedPeer !== undefined).map(({ ordinal }) => ordinal),
  ...unmarkedRemovals(world, topology).map(({ ordinal }) => ordinal),
];

/** Empties the volume of a removed peer before its ordinal is used again, then waits until all peers have joined. */
export function scaleOut(world: World, topology: Topology): Proposal | undefined {
  const { cluster, claims, statefulSet } = world;
  const size = sizeOf(cluster);
  const name = cluster.status?.operation?.name === 'Create' ? 'Create' : 'ScaleOut';
  const current = statefulSet?.replicas ?? 0;
  const stale = claims.filter(
    ({ ordinal, removedPeer }) => removedPeer !== undefined && ordinal >= current && ordinal < size,
  );
  const ordinal = stale[0]?.ordinal;
  if (ordinal !== undefined) {
    const volumes = stale.filter((claim) => claim.ordinal === ordinal && !claim.terminating);
    const target = `${cluster.metadata.name}-${ordinal}`;
    if (volumes.length === 0) return pending(name, 'EmptyVolume', target);
    const situation: Situation = { world, topology, ordinal, member: memberOf(topology, ordinal) };
    return gated('emptyVolume', situation, {
      name,
      step: 'EmptyVolume',
      target,
      does: { kind: 'deleteClaims', claims: volumes.map(({ name: claim, uid }) => ({ name: claim, uid })) },
    });
  }
  const joined = new Set(keepers(world, topology));
  const absent = Array.from({ length: size }, (_, index) => index).filter((index) => {
    const member = memberOf(topology, index);
    return member === undefined || stillJoining(world, member) || (member.view !== undefined && !joined.has(member.id));
  });
  if (absent.length === 0) return undefined;
  return pending(name, 'WaitForPeers', firstFew(absent.map((index) => `${cluster.metadata.name}-${index}`)));
}

const pending = (name: 'Create' | 'ScaleOut', step: string, target: string): Proposal => ({
  operation: { name, step, target, blockedBy: [] },
  exclusive: false,
});

/** Moves shards until all peers hold about as many. Only by count, and only where everything else is calm. */
export function balance(world: World, topology: Topology): Proposal | undefined {
  const { rebalanceStrategy } = world.cluster.spec;
  const wanted = rebalanceStrategy ?? (world.cluster.spec.external === undefined ? 'by_count' : 'disabled');
  if (wanted === 'disabled') return undefined;
  const stay = keepers(world, topology);
  const all = topology.members.length;
  if (stay.length < 2 || stay.length < all || topology.disagreements.length > 0) return undefined;
  const moving = new Set(topology.transfers.map(({ collection, shard }) => `${collection}/${shard}`));
  const calm = topology.shards
    .filter(({ collection, id }) => !moving.has(`${collection}/${id}`))
    .every(({ replicas }) => replicas.every(({ states, everywhere }) => everywhere && states.join() === 'Active'));
  const transfers = calm ? balancingMoves(topology, stay, freeSlots(topology)) : [];
  const operation = { name: 'ScaleOut', step: 'BalanceShards', blockedBy: [] } as const;
  if (transfers.length > 0) return { operation, step: { kind: 'startTransfers', transfers }, exclusive: true };
  const ours = world.cluster.status?.operation?.step === 'BalanceShards' && topology.transfers.length > 0;
  return ours ? { operation, exclusive: false } : undefined;
}
