import { deletion } from './decide/deletion.ts';
import { evictable } from './decide/evictions.ts';
import { announcement, found } from './decide/found.ts';
import { healLostPeer, replenish, watchRecovery } from './decide/heal.ts';
import { type Mark, marks } from './decide/marks.ts';
import { restartUnhealthy, rollingRestart } from './decide/restart.ts';
import { scaleIn } from './decide/scale-in.ts';
import { balance, replicasWanted, scaleOut } from './decide/scale-out.ts';
import { type ServingChange, servingChanges } from './decide/serving.ts';
import type { Operation, Proposal, Step, Topic } from './decide/step.ts';
import type { Topology } from './topology.ts';
import { type Announcement, isExternal, type World } from './world.ts';

/** What one pass comes to, before anything is done. */
export type Decision = {
  /** Pods that the StatefulSet is to have; lower only by a step. */
  readonly replicas: number;
  readonly announced: Announcement;
  readonly marks: readonly Mark[];
  readonly serving: readonly ServingChange[];
  /** Whether pods may be evicted, by a drain of their node for one. */
  readonly evictable: boolean;
  readonly operation: Operation | undefined;
  readonly step: Step | undefined;
  /** All that was proposed, in order; those after the first with a step wait. */
  readonly proposals: readonly Proposal[];
};

/** In the order of urgency. The first that has a step to do gets its turn, unless one before it must be alone. */
const MANAGED: readonly Topic[] = [
  found,
  healLostPeer,
  restartUnhealthy,
  replenish,
  scaleOut,
  scaleIn,
  rollingRestart,
  balance,
  watchRecovery,
];

const EXTERNAL: readonly Topic[] = [balance, watchRecovery];

/** Decides what is done in this pass. Pure: the same world gives the same decision. */
export function decide(world: World, topology: Topology): Decision {
  const proposals = propose(world, topology);
  // A refusal that doesn't pass by itself is what an admin must see.
  const refused = proposals.find(({ operation }) => operation.blockedBy.some(({ passing }) => !passing));
  const chosen = proposals.find(({ step }) => step !== undefined) ?? refused ?? proposals[0];
  return {
    replicas: replicasWanted(world, topology),
    announced: announcement(world, topology),
    marks: marks(world, topology),
    serving: servingChanges(world, topology, proposals.find(({ withdraw }) => withdraw !== undefined)?.withdraw),
    evictable: evictable(world, topology),
    operation: chosen?.operation,
    step: chosen?.step,
    proposals,
  };
}

function propose(world: World, topology: Topology): Proposal[] {
  if (world.cluster.metadata.deletionTimestamp !== undefined) return [deletion(world, topology)];
  const proposals: Proposal[] = [];
  for (const topic of isExternal(world.cluster) ? EXTERNAL : MANAGED) {
    const proposal = topic(world, topology);
    if (proposal === undefined) continue;
    proposals.push(proposal);
    if (proposal.exclusive || proposal.step !== undefined) break;
  }
  return proposals;
}
