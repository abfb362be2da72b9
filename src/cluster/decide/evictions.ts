import type { Topology } from '../topology.ts';
import { sizeOf, type World } from '../world.ts';

/**
 * Whether the PodDisruptionBudget lets pods be evicted now.
 *
 * A restarted peer is Ready some seconds before Qdrant marks what it missed (S4): a drain that goes on by then takes the
 * next peer, and a shard is left without a readable replica. So nothing is evicted until all has been settled for the
 * settling time. The samples of a cluster at rest lie too far apart to prove that time: a budget that is open stays so.
 */
export function evictable(world: World, topology: Topology): boolean {
  // One peer has no other that could be hit at a bad moment.
  if (sizeOf(world.cluster) <= 1 && topology.members.length <= 1) return true;
  if (world.disabled.has('settled') || world.disabled.has('*')) return true;
  if (world.settledSince === undefined || world.pods.some(({ ready, terminating }) => terminating || !ready))
    return false;
  return world.budgetOpen === true || world.now - world.settledSince >= world.settleSeconds * 1000;
}
