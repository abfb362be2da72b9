import { podName } from '../names.ts';
import { blockers, type Situation } from '../predicates.ts';
import { memberOf, type Topology } from '../topology.ts';
import type { PodFacts, World } from '../world.ts';
import { gated, type Proposal } from './step.ts';

const outdatedPods = ({ pods, template, statefulSet }: World): PodFacts[] =>
  pods
    .filter((pod) => pod.template !== template && !pod.terminating && pod.ordinal < (statefulSet?.replicas ?? 0))
    .toSorted((a, b) => b.ordinal - a.ordinal);

/** Neither ready nor answering: stopping it takes nothing away, and may be the only way out of a bad configuration. */
const unhealthy = ({ silent }: Topology, pod: PodFacts): boolean =>
  !pod.ready && silent.some(({ name, status }) => name === pod.name && status === undefined);

/** Restarts outdated pods that don't work anyway. */
export function restartUnhealthy(world: World, topology: Topology): Proposal | undefined {
  const pod = outdatedPods(world).find((candidate) => unhealthy(topology, candidate));
  return pod === undefined ? undefined : restart('restartUnhealthy', { world, topology, pod });
}

/** The rolling restart: highest ordinal first, one pod at a time. */
export function rollingRestart(world: World, topology: Topology): Proposal | undefined {
  const pod = outdatedPods(world)[0];
  return pod === undefined ? undefined : restart('stopPeer', { world, topology, pod });
}

function restart(
  gate: 'stopPeer' | 'restartUnhealthy',
  { world, topology, pod }: { world: World; topology: Topology; pod: PodFacts },
): Proposal {
  const situation: Situation = { world, topology, ordinal: pod.ordinal, member: memberOf(topology, pod.ordinal) };
  const target = podName(world.cluster, pod.ordinal);
  // Only the two that need time may be left: a pod is taken out of the Service when it's going to be stopped.
  const lasting = blockers(gate, situation).filter(({ name }) => name !== 'withdrawn' && name !== 'settled');
  const others = world.pods.some((other) => other.name !== pod.name && other.ready && !other.terminating);
  return gated(gate, situation, {
    name: 'RollingRestart',
    step: 'RestartPod',
    target,
    does: { kind: 'deletePod', name: pod.name, uid: pod.uid },
    ...(lasting.length === 0 && others && gate === 'stopPeer' ? { withdraw: target } : {}),
  });
}
