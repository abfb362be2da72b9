import { type Blocker, blockers, type Situation } from '../predicates.ts';
import { isActive, type Member, memberOf, replicasOn, type Shard, type Topology } from '../topology.ts';
import { sizeOf, type World } from '../world.ts';
import { keepers } from './keepers.ts';
import { drainMoves, freeSlots } from './placement.ts';
import { gated, type Proposal, type Step } from './step.ts';

/**
 * Scale-in: the highest ordinal first, one peer at a time: drained, removed from the cluster, its volume marked, its
 * pod stopped. A peer that was removed is stopped even when the size was raised again: it can't come back as it is.
 */
export function scaleIn(world: World, topology: Topology): Proposal | undefined {
  const ordinal = (world.statefulSet?.replicas ?? 0) - 1;
  if (ordinal < 1 || topology.members.length === 0) return undefined;
  const member = memberOf(topology, ordinal);
  const situation: Situation = { world, topology, ordinal, member };
  const target = `${world.cluster.metadata.name}-${ordinal}`;
  if (member === undefined) {
    const removed = world.claims.some((claim) => claim.ordinal === ordinal && claim.removedPeer !== undefined);
    if (ordinal < sizeOf(world.cluster) && !removed) return undefined;
    const does: Step = { kind: 'lowerReplicas', to: ordinal };
    return gated('stopRemovedPod', situation, { name: 'ScaleIn', step: 'StopPod', target, does, withdraw: target });
  }
  if (ordinal < Math.max(1, sizeOf(world.cluster))) return undefined;
  return replicasOn(topology, member.id).length > 0 ? drain(situation, member) : remove(situation, member);
}

function drain(situation: Situation, member: Member): Proposal {
  const { world, topology } = situation;
  const operation = { name: 'ScaleIn', step: 'DrainShards', target: member.name } as const;
  const refused = blockers('drainPeer', situation);
  if (refused.length > 0) return waiting(operation, refused);

  const stay = keepers(world, topology).filter((id) => id !== member.id);
  const moves = member.view === undefined ? [] : drainMoves(topology, member.id, stay);
  const slots = freeSlots(topology);
  if (moves.length > 0) {
    const transfers = moves.slice(0, slots);
    return transfers.length === 0
      ? waiting(operation, blockers('removePeer', situation))
      : { operation: { ...operation, blockedBy: [] }, step: { kind: 'startTransfers', transfers }, exclusive: true };
  }
  const drops = replicasOn(topology, member.id).filter((shard) => mayDrop(topology, shard, { member, stay }));
  const proposals = drops.map((shard) =>
    gated(
      'dropReplica',
      { ...situation, shard },
      {
        ...operation,
        does: { kind: 'dropReplica', collection: shard.collection, shard: shard.id, peer: member.id },
      },
    ),
  );
  return (
    proposals.find(({ step }) => step !== undefined) ??
    proposals[0] ??
    waiting(operation, blockers('removePeer', situation))
  );
}

/**
 * A replica is dropped, not moved, where every peer that stays holds the shard too, and where it can't be moved: it
 * isn't Active, or its peer is silent. While a transfer of the shard runs it's left alone.
 */
function mayDrop(
  topology: Topology,
  shard: Shard,
  { member, stay }: { member: Member; stay: readonly number[] },
): boolean {
  const busy = topology.transfers.some((one) => one.collection === shard.collection && one.shard === shard.id);
  if (busy) return false;
  const own = shard.replicas.find(({ peer }) => peer === member.id);
  const movable = own !== undefined && isActive(own) && member.view !== undefined;
  return !movable || stay.every((id) => shard.replicas.some(({ peer }) => peer === id));
}

function remove(situation: Situation, member: Member): Proposal {
  const does: Step = { kind: 'removePeer', peer: member.id, name: member.name };
  const operation = { name: 'ScaleIn', step: 'RemovePeer', target: member.name } as const;
  // A peer that is gone for good would keep the cluster unsettled for ever.
  if (member.view === undefined) return gated('removeLostPeer', situation, { ...operation, does });
  const lasting = blockers('removePeer', situation).filter(({ passing }) => !passing);
  const withdraw = lasting.length === 0 ? { withdraw: member.name } : {};
  return gated('removePeer', situation, { ...operation, does, ...withdraw });
}

function waiting(
  operation: { name: 'ScaleIn'; step: string; target: string },
  blockedBy: readonly Blocker[],
): Proposal {
  return { operation: { ...operation, blockedBy }, exclusive: blockedBy.every(({ passing }) => passing) };
}
