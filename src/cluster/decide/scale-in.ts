import { type Blocker, blockers, type Situation } from '../predicates.ts';
import { isActive, type Member, memberOf, replicasOn, type Shard, type Topology } from '../topology.ts';
import { sizeOf, type World } from '../world.ts';
import { keepers, nothingToKeep } from './keepers.ts';
import { drainMoves, freeSlots } from './placement.ts';
import { gated, type Proposal, type Step } from './step.ts';

/**
 * Scale-in: the highest ordinal first, one peer at a time: drained, its pod stopped, removed from the cluster, its
 * volume marked. Of two peers the one that goes is removed before it is stopped, for the other has no majority alone. A
 * peer that was removed is stopped even when the size was raised again: it can't come back as it is.
 */
export function scaleIn(world: World, topology: Topology): Proposal | undefined {
  const stopped = stoppedMember(world, topology);
  if (stopped !== undefined) return removeStopped(world, topology, stopped);
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

/** A member that is to go, holds nothing, and for which no pod is wanted any more. */
const stoppedMember = (world: World, topology: Topology): Member | undefined =>
  topology.members.findLast(
    (member) => (member.ordinal ?? 0) >= (world.statefulSet?.replicas ?? 0) && nothingToKeep(world, topology, member),
  );

function removeStopped(world: World, topology: Topology, member: Member): Proposal {
  const { ordinal, id, name } = member;
  const operation = { name: 'ScaleIn', target: name } as const;
  // While its process runs it must not learn that it was removed: it would refuse what clients still send to it.
  if (world.pods.some((pod) => pod.ordinal === ordinal))
    return { operation: { ...operation, step: 'StopPod', blockedBy: [] }, exclusive: true };
  const does: Step = { kind: 'removePeer', peer: id, name };
  return gated('removeLostPeer', { world, topology, ordinal, member }, { ...operation, step: 'RemovePeer', does });
}

/** With fewer the others are no majority while the one that goes is stopped, and can't agree on its removal. */
const MEMBERS_TO_STOP_FIRST = 3;

function remove(situation: Situation, member: Member): Proposal {
  const does: Step = { kind: 'removePeer', peer: member.id, name: member.name };
  const operation = { name: 'ScaleIn', step: 'RemovePeer', target: member.name } as const;
  // A peer that is gone for good would keep the cluster unsettled for ever.
  if (member.view === undefined) return gated('removeLostPeer', situation, { ...operation, does });
  // One whose consensus failed may never start again (S1), which a mind that is changed would ask of it.
  const stopFirst =
    situation.topology.members.length >= MEMBERS_TO_STOP_FIRST && member.view.consensus !== 'stopped_with_err';
  const gate = stopFirst ? 'stopDrainedPeer' : 'removePeer';
  const lasting = blockers(gate, situation).filter(({ passing }) => !passing);
  const withdraw = lasting.length === 0 ? { withdraw: member.name } : {};
  if (!stopFirst || member.ordinal === undefined) return gated(gate, situation, { ...operation, does, ...withdraw });
  const stop: Step = { kind: 'lowerReplicas', to: member.ordinal };
  return gated(gate, situation, { ...operation, step: 'StopPod', does: stop, ...withdraw });
}

function waiting(
  operation: { name: 'ScaleIn'; step: string; target: string },
  blockedBy: readonly Blocker[],
): Proposal {
  return { operation: { ...operation, blockedBy }, exclusive: blockedBy.every(({ passing }) => passing) };
}
