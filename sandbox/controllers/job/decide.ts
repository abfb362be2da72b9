import { type Job, ownerReference, type Pod } from '../../../src/kube/index.ts';
import { isReady, isTerminating } from '../pod-facts.ts';

/** A job and the pods it controls, as they are at `now` (milliseconds since the epoch). */
export type JobView = { readonly job: Job; readonly pods: readonly Pod[]; readonly now: number };

export type JobStep =
  | { readonly kind: 'createPods'; readonly count: number }
  | { readonly kind: 'deletePod'; readonly pod: Pod }
  | { readonly kind: 'deleteJob' };

export type JobDecision = {
  readonly steps: readonly JobStep[];
  readonly status: NonNullable<Job['status']>;
  /** When to look again though nothing changed, in milliseconds from now. */
  readonly againIn?: number;
};

type JobCondition = NonNullable<NonNullable<Job['status']>['conditions']>[number];
type Verdict = { readonly type: 'Complete' | 'Failed'; readonly reason: string; readonly message: string };

/** Shorter than the 10 s to 6 min of Kubernetes: a sandbox that waits for minutes shows nothing. */
const RETRY = { baseMilliseconds: 500, maximumMilliseconds: 10_000 };
/** Source: `batch/v1` defaults. */
const DEFAULT_BACKOFF_LIMIT = 6;

const phaseIs =
  (phase: string) =>
  (pod: Pod): boolean =>
    pod.status?.phase === phase;

const isActive = (pod: Pod): boolean =>
  !isTerminating(pod) && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed';

/** The condition that ended the job; undefined while it goes on. */
export function finishedCondition(job: Job): JobCondition | undefined {
  return job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
}

/**
 * What to do now for a job: start pods until as many succeeded as `completions` asks, give up at the deadline or after
 * `backoffLimit` failures, go when `ttlSecondsAfterFinished` is over.
 *
 * Source: kube-controller-manager `job_controller.go`. Not modelled: Indexed jobs, failure and success policies.
 */
export function decide(view: JobView): JobDecision {
  const { job, pods, now } = view;
  const finished = finishedCondition(job);
  if (finished !== undefined) return afterwards(view, finished);
  const { completions = 1, suspend = false } = job.spec ?? {};
  const active = pods.filter(isActive);
  const deletions = active.map((pod): JobStep => ({ kind: 'deletePod', pod }));
  const succeeded = pods.filter(phaseIs('Succeeded')).length;
  const startTime = job.status?.startTime ?? (suspend ? undefined : new Date(now).toISOString());
  const counts = countsOf(view, startTime);
  const verdict = verdictOf(view, { succeeded, startTime });
  if (verdict !== undefined) {
    // The job has ended only when its last pod has.
    const over = active.length === 0 && !pods.some((pod) => isTerminating(pod) && !ended(pod));
    const conditions = conditionsOf(job, verdict, { over, now });
    const completionTime = over && verdict.type === 'Complete' ? { completionTime: new Date(now).toISOString() } : {};
    return { steps: deletions, status: { ...counts, conditions, ...completionTime } };
  }
  const conditions = job.status?.conditions === undefined ? {} : { conditions: job.status.conditions };
  const status = { ...counts, ...conditions };
  if (suspend) return { steps: deletions, status };
  const missing = Math.min(job.spec?.parallelism ?? 1, completions - succeeded) - active.length;
  const wait = retryDelay(view);
  const deadline = deadlineIn(view, startTime);
  if (missing > 0 && wait <= 0) {
    return { steps: [{ kind: 'createPods', count: missing }], status, ...again([deadline]) };
  }
  return { steps: [], status, ...again([deadline, missing > 0 ? wait : undefined]) };
}

const ended = (pod: Pod): boolean => phaseIs('Succeeded')(pod) || phaseIs('Failed')(pod);

function afterwards({ job, pods, now }: JobView, finished: JobCondition): JobDecision {
  const active = pods.filter(isActive).map((pod): JobStep => ({ kind: 'deletePod', pod }));
  const status = job.status ?? {};
  const ttl = job.spec?.ttlSecondsAfterFinished;
  if (ttl === undefined || job.metadata.deletionTimestamp !== undefined) return { steps: active, status };
  const left = Date.parse(finished.lastTransitionTime ?? '') + ttl * 1000 - now;
  return left <= 0 ? { steps: [{ kind: 'deleteJob' }], status } : { steps: active, status, againIn: left };
}

/** A failure that was counted once stays counted, also when its pod is gone. */
function countsOf({ job, pods }: JobView, startTime: string | undefined): NonNullable<Job['status']> {
  const active = pods.filter(isActive);
  const failed = Math.max(pods.filter(phaseIs('Failed')).length, job.status?.failed ?? 0);
  const succeeded = Math.max(pods.filter(phaseIs('Succeeded')).length, job.status?.succeeded ?? 0);
  return {
    ...(startTime === undefined ? {} : { startTime }),
    ...(active.length === 0 ? {} : { active: active.length }),
    ...(succeeded === 0 ? {} : { succeeded }),
    ...(failed === 0 ? {} : { failed }),
    ready: active.filter(isReady).length,
    terminating: pods.filter(isTerminating).length,
    uncountedTerminatedPods: {},
  };
}

function verdictOf(
  view: JobView,
  { succeeded, startTime }: { readonly succeeded: number; readonly startTime: string | undefined },
): Verdict | undefined {
  const { job } = view;
  if (succeeded >= (job.spec?.completions ?? 1)) {
    return { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
  }
  if (failuresExceedLimit(view)) {
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  }
  const left = deadlineIn(view, startTime);
  if (left !== undefined && left <= 0) {
    return { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  }
  // A verdict that was announced stands.
  const announced = job.status?.conditions?.find(({ type, status }) => type === 'FailureTarget' && status === 'True');
  if (announced === undefined) return undefined;
  return { type: 'Failed', reason: announced.reason ?? '', message: announced.message ?? '' };
}

function failuresExceedLimit({ job, pods }: JobView): boolean {
  const limit = job.spec?.backoffLimit ?? DEFAULT_BACKOFF_LIMIT;
  const failed = Math.max(pods.filter(phaseIs('Failed')).length, job.status?.failed ?? 0);
  if (failed > limit) return true;
  if (job.spec?.template?.spec?.restartPolicy !== 'OnFailure') return false;
  const statuses = pods.filter(isActive).flatMap((pod) => pod.status?.containerStatuses ?? []);
  const restarts = statuses.reduce((sum, { restartCount }) => sum + restartCount, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function deadlineIn({ job, now }: JobView, startTime: string | undefined): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  if (seconds === undefined || startTime === undefined) return undefined;
  return Date.parse(startTime) + seconds * 1000 - now;
}

/** How long to wait before the next pod, after the failures so far. */
function retryDelay({ pods, now }: JobView): number {
  const failed = pods.filter(phaseIs('Failed'));
  if (failed.length === 0) return 0;
  const ends = failed
    .flatMap((pod) => pod.status?.containerStatuses ?? [])
    .map(({ state }) => state?.terminated?.finishedAt);
  const last = Math.max(0, ...ends.map((time) => Date.parse(time ?? '')).filter((time) => !Number.isNaN(time)));
  const pause = Math.min(RETRY.baseMilliseconds * 2 ** (failed.length - 1), RETRY.maximumMilliseconds);
  return last + pause - now;
}

function again(times: readonly (number | undefined)[]): { readonly againIn?: number } {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? {} : { againIn: Math.max(Math.min(...known), 1) };
}

/** The verdict is announced first, and final when nothing of the job runs. Source: KEP-3998, KEP-3329. */
function conditionsOf(job: Job, verdict: Verdict, { over, now }: { over: boolean; now: number }): JobCondition[] {
  const moment = new Date(now).toISOString();
  const { reason, message } = verdict;
  const announced = verdict.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
  const before = job.status?.conditions ?? [];
  const conditionOf = (type: string): JobCondition =>
    before.find((condition) => condition.type === type) ?? {
      type,
      status: 'True',
      reason,
      message,
      lastProbeTime: moment,
      lastTransitionTime: moment,
    };
  const types = over ? [announced, verdict.type] : [announced];
  return [...before.filter(({ type }) => !types.includes(type)), ...types.map(conditionOf)];
}

/** @param suffix makes the name unique */
export function podObject(job: Job, suffix: string): Pod {
  const { name, namespace = '', uid = '' } = job.metadata;
  const template = job.spec?.template;
  const labels = {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-${suffix}`,
      generateName: `${name}-`,
      namespace,
      labels: { ...template?.metadata?.labels, ...labels },
      ...(template?.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [ownerReference(job)],
    },
    spec: { ...template?.spec, containers: template?.spec?.containers ?? [] },
  };
}
