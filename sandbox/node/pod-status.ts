import type { Pod } from '../../src/kube/index.ts';
import type { PodPlace } from './pod-fields.ts';
import type { ContainerState, ContainerStatus, PodCondition, PodStatus } from './wire.ts';

/** One container as the node agent knows it. */
export type ContainerView = {
  readonly name: string;
  readonly image: string;
  readonly containerID: string;
  readonly state: ContainerState;
  readonly lastState: ContainerState | undefined;
  readonly restartCount: number;
  readonly started: boolean;
  readonly ready: boolean;
};

/** What the status of a pod is computed from. `now` and `startTime` are RFC 3339 timestamps. */
export type PodFacts = {
  readonly pod: Pod;
  readonly place: PodPlace;
  readonly now: string;
  readonly startTime: string;
  readonly initContainers: readonly ContainerView[];
  readonly containers: readonly ContainerView[];
};

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

const succeeded = ({ state }: ContainerView): boolean => state.terminated?.exitCode === 0;
const failed = ({ state }: ContainerView): boolean => state.terminated !== undefined && state.terminated.exitCode !== 0;
const neverRan = ({ state, lastState }: ContainerView): boolean =>
  state.running === undefined && state.terminated === undefined && lastState?.terminated === undefined;

/** The phase of a pod. Source: kubelet `getPhase`. */
export function podPhase({ pod, initContainers, containers }: PodFacts): Phase {
  const policy = pod.spec?.restartPolicy ?? 'Always';
  if (policy === 'Never' && initContainers.some(failed)) return 'Failed';
  if (!initContainers.every(succeeded) && containers.every(neverRan)) return 'Pending';
  if (containers.some(neverRan)) return 'Pending';
  if (containers.some(({ state }) => state.running !== undefined)) return 'Running';
  // A pod that is being deleted restarts nothing. Source: kubelet `getPhase` with `podIsTerminal`.
  const final = pod.metadata.deletionTimestamp !== undefined || policy === 'Never';
  if (policy === 'Always' && !final) return 'Running';
  if (containers.every(succeeded)) return 'Succeeded';
  return final ? 'Failed' : 'Running';
}

type Fact = { readonly type: string; readonly status: boolean; readonly reason?: string; readonly message?: string };

function containersReady(facts: PodFacts, phase: Phase): Omit<Fact, 'type'> {
  if (phase === 'Succeeded') return { status: false, reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: false, reason: 'PodFailed' };
  const unready = facts.containers.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { status: true };
  const message = `containers with unready status: [${unready.join(' ')}]`;
  return { status: false, reason: 'ContainersNotReady', message };
}

function podReady(facts: PodFacts, containers: Omit<Fact, 'type'>): Omit<Fact, 'type'> {
  if (!containers.status) return containers;
  const conditions = facts.pod.status?.conditions ?? [];
  const closed = (facts.pod.spec?.readinessGates ?? []).filter(
    ({ conditionType }) => !conditions.some(({ type, status }) => type === conditionType && status === 'True'),
  );
  if (closed.length === 0) return containers;
  const names = closed.map(({ conditionType }) => conditionType).join(', ');
  return { status: false, reason: 'ReadinessGatesNotReady', message: `readiness gates not passed: ${names}` };
}

function conditionFacts(facts: PodFacts, phase: Phase): readonly Fact[] {
  const initialized = phase === 'Succeeded' || facts.initContainers.every(succeeded);
  const containers = containersReady(facts, phase);
  return [
    { type: 'PodScheduled', status: true },
    { type: 'Initialized', status: initialized, ...(initialized ? {} : { reason: 'ContainersNotInitialized' }) },
    { type: 'ContainersReady', ...containers },
    { type: 'Ready', ...podReady(facts, containers) },
  ];
}

/** Sets the agent's conditions among those that others wrote; an unchanged one keeps its transition time. */
function mergeConditions(previous: readonly PodCondition[], facts: readonly Fact[], now: string): PodCondition[] {
  const own = facts.map(({ type, status: holds, reason, message }): PodCondition => {
    const status = holds ? 'True' : 'False';
    const before = previous.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
    const why = { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
    return { type, status, lastTransitionTime, ...why };
  });
  const foreign = previous.filter(({ type }) => !facts.some((fact) => fact.type === type));
  return [...own, ...foreign];
}

function containerStatus(view: ContainerView): ContainerStatus {
  const { name, image, containerID, state, lastState, restartCount, started, ready } = view;
  const ids = { imageID: image, ...(containerID === '' ? {} : { containerID }) };
  return { name, image, ...ids, state, lastState: lastState ?? {}, restartCount, started, ready };
}

/** The status of a pod by the facts of its containers. */
export function podStatus(facts: PodFacts): PodStatus {
  const { pod, place, now, startTime, initContainers, containers } = facts;
  const phase = podPhase(facts);
  const { nominatedNodeName: _, ...previous } = pod.status ?? {};
  return {
    ...(previous.qosClass === undefined ? {} : { qosClass: previous.qosClass }),
    phase,
    conditions: mergeConditions(previous.conditions ?? [], conditionFacts(facts, phase), now),
    hostIP: place.hostIP,
    hostIPs: [{ ip: place.hostIP }],
    podIP: place.podIP,
    podIPs: [{ ip: place.podIP }],
    startTime,
    ...(initContainers.length === 0 ? {} : { initContainerStatuses: initContainers.map(containerStatus) }),
    containerStatuses: containers.map(containerStatus),
  };
}
