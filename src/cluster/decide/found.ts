import { annotations } from '../names.ts';
import { blockers } from '../predicates.ts';
import type { Topology } from '../topology.ts';
import type { Announcement, World } from '../world.ts';
import { earlierClaims } from './scale-out.ts';
import type { Proposal } from './step.ts';

/** The nonce of a `found-again` annotation that was not obeyed yet. */
export function foundAgainNonce({ cluster }: World): string | undefined {
  const nonce = cluster.metadata.annotations?.[annotations.foundAgain];
  return nonce === cluster.status?.lastHandled?.['found-again'] ? undefined : nonce;
}

/**
 * What starting pods are told: who may found the cluster, and the peers that answer now.
 * Nobody may found once `status.founded` is set: a first peer that lost its volume would found a second cluster (S10).
 */
export function announcement(world: World, topology: Topology): Announcement {
  const live = topology.views
    .flatMap((view) => view.members.filter(({ peerId }) => peerId === view.peerId))
    .map(({ uri }) => uri)
    .toSorted();
  return { founder: founder(world, topology), members: live.length > 0 ? live : (world.announced?.members ?? []) };
}

function founder(world: World, topology: Topology): string | undefined {
  const first = `${world.cluster.metadata.name}-0`;
  if (world.cluster.status?.founded !== undefined) {
    return foundAgainNonce(world) !== undefined && foundAgainRefused(world, topology).length === 0 ? first : undefined;
  }
  if (topology.views.length > 0) return undefined;
  return founderWithheld(world) === undefined ? first : undefined;
}

const foundAgainRefused = (world: World, topology: Topology) =>
  blockers('foundAgain', { world, topology, ordinal: 0, member: undefined });

/** Volumes of an earlier life are there, but not the first peer's: founding would start a second cluster beside them. */
export function founderWithheld(world: World): string | undefined {
  const earlier = earlierClaims(world);
  if (earlier.length === 0 || earlier.some(({ ordinal }) => ordinal === 0)) return undefined;
  return `volumes of an earlier cluster exist (${earlier.map(({ name }) => name).join(', ')}) but not that of peer 0`;
}

/** Until the first peer has answered nothing else is begun. */
export function found(world: World, topology: Topology): Proposal | undefined {
  const target = `${world.cluster.metadata.name}-0`;
  if (world.cluster.status?.founded === undefined) {
    return { operation: { name: 'Create', step: 'StartFirstPeer', target, blockedBy: [] }, exclusive: true };
  }
  if (foundAgainNonce(world) === undefined) return undefined;
  const blockedBy = foundAgainRefused(world, topology);
  return { operation: { name: 'Create', step: 'FoundAgain', target, blockedBy }, exclusive: blockedBy.length === 0 };
}
