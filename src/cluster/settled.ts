import { isActive, shardName, type Topology } from './topology.ts';
import type { PodFacts } from './world.ts';

/**
 * What stands against calling the cluster settled at this moment, as sentences; empty = nothing.
 * `/readyz` is not asked: it latches true (S9).
 */
export function unsettled(topology: Topology): string[] {
  const reasons = [...topology.disagreements];
  for (const { name, view } of topology.members) {
    if (view === undefined) reasons.push(`${name} doesn't answer`);
    else if (view.consensus !== 'working') reasons.push(`consensus of ${name} is ${view.consensus}`);
    else if (!view.raft.isVoter) reasons.push(`${name} isn't a voter yet`);
    else if (view.raft.pendingOperations > 0) reasons.push(`${name} has consensus operations to apply`);
  }
  if (topology.members.length === 0) reasons.push('no peer answers');
  reasons.push(...topology.outsiders.map(({ name }) => `${name} is outside the cluster`));
  reasons.push(...topology.lostShards.map((shard) => `shards are lost: ${shard}`));
  if (topology.transfers.length > 0) reasons.push(`${topology.transfers.length} shard transfers run`);
  const inactive = topology.shards.filter(({ replicas }) => !replicas.every(isActive)).map(shardName);
  if (inactive.length > 0) reasons.push(`not Active in every view: ${firstFew(inactive)}`);
  return [...new Set(reasons)];
}

export const firstFew = (names: readonly string[], most = 3): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

/** What has held since when; kept in memory only, so that a restarted operator begins to wait anew. */
export type Settling = { readonly since: number; readonly seenAt: number; readonly pods: string };

/**
 * Carries the settled time from one pass to the next. Samples too far apart prove nothing in between, and a pod that
 * was restarted between two samples may be stale although every view says Active (S4).
 *
 * @param now milliseconds
 * @param maxGapMilliseconds longest time between two samples that counts as continuous
 */
export function settling(
  previous: Settling | undefined,
  sample: { now: number; settled: boolean; pods: readonly PodFacts[] },
  maxGapMilliseconds: number,
): Settling | undefined {
  if (!sample.settled) return undefined;
  const pods = sample.pods.map(({ uid, restarts }) => `${uid}:${restarts}`).join();
  const continuous =
    previous !== undefined && previous.pods === pods && sample.now - previous.seenAt <= maxGapMilliseconds;
  return { since: continuous ? previous.since : sample.now, seenAt: sample.now, pods };
}
