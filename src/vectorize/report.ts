import type { Condition, VectorizationJobStatus } from '../api/index.ts';
import { finalizeConditions, type PassResult, removeCondition, setCondition } from '../kube/index.ts';
import { nextDue } from './decide/due.ts';
import { countsText } from './decide/ended.ts';
import { refusalOf } from './decide/refused.ts';
import { NOTE_TYPES, type Plan, timestamp } from './plan.ts';
import type { World } from './world.ts';

export type Pass = {
  readonly world: World;
  readonly plan: Plan;
  /** What was thrown while acting; its message holds no secret. */
  readonly failure: { readonly reason: string; readonly message: string } | undefined;
  readonly invalid: readonly string[];
};

const MOST = 1024;
const cut = (message: string): string => (message.length <= MOST ? message : `${message.slice(0, MOST - 1)}…`);

/** The status that a pass comes to. Pure; a pass that changes nothing gives the status that there was. */
export function statusOf(pass: Pass): VectorizationJobStatus {
  const { world, plan } = pass;
  const { progress, nextAt: _nextAt, observedGeneration: seen, ...before } = world.job.status ?? {};
  // What a failed step was to bring about is not written down as done.
  const planned = pass.failure === undefined ? (plan.status ?? {}) : {};
  const running = planned.progress === undefined ? progress : (planned.progress ?? undefined);
  const { handled } = planned;
  const status: VectorizationJobStatus = {
    ...before,
    ...(running === undefined ? {} : { progress: shortened(running) }),
    ...(planned.lastRun === undefined ? {} : { lastRun: shortened(planned.lastRun) }),
    ...(planned.quality === undefined ? {} : { quality: planned.quality }),
    ...(handled === undefined ? {} : { lastHandled: { ...before.lastHandled, run: handled } }),
  };
  const next = nextAtOf(pass, status);
  const { conditions, observedGeneration = seen } = conditionsOf(pass, status);
  return {
    ...status,
    conditions,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...(next === undefined ? {} : { nextAt: timestamp(next) }),
  };
}

const shortened = <T extends { readonly note?: string; readonly message?: string }>(value: T): T => ({
  ...value,
  ...(value.note === undefined ? {} : { note: cut(value.note) }),
  ...(value.message === undefined ? {} : { message: cut(value.message) }),
});

function nextAtOf({ world, invalid }: Pass, status: VectorizationJobStatus): number | undefined {
  const { job, settings } = world;
  if (invalid.length > 0 || job.spec.suspend === true || refusalOf(job) !== undefined) return undefined;
  if (status.lastRun === undefined || status.progress !== undefined) return undefined;
  return nextDue({ ...job, status }, settings);
}

function conditionsOf(pass: Pass, status: VectorizationJobStatus) {
  const { world, plan } = pass;
  const generation = world.job.metadata.generation ?? 0;
  const now = timestamp(world.now);
  let list: Condition[] = [...(world.job.status?.conditions ?? [])];
  for (const type of NOTE_TYPES) {
    const note = (plan.notes ?? []).find((candidate) => candidate.type === type);
    list =
      note === undefined
        ? (removeCondition(list, type) as Condition[])
        : (setCondition(
            list,
            { ...note, message: cut(note.message), observedGeneration: generation },
            now,
          ) as Condition[]);
  }
  const ready = readyOf(pass, status);
  return finalizeConditions(list, {
    result: resultOf(pass),
    generation,
    now,
    observedGeneration: world.job.status?.observedGeneration ?? 0,
    ...(ready === undefined ? {} : { ready: { ...ready, message: cut(ready.message) } }),
  });
}

function resultOf({ plan, failure, invalid }: Pass): PassResult {
  if (invalid.length > 0) return { kind: 'stalled', reason: 'InvalidSpec', message: cut(invalid.join('; ')) };
  if (failure !== undefined) return { kind: 'wait', seconds: 0, reason: failure.reason, message: cut(failure.message) };
  const { waiting, stalled } = plan;
  if (waiting === undefined) return { kind: 'done' };
  if (stalled === true) return { kind: 'stalled', reason: waiting.reason, message: cut(waiting.message) };
  return { kind: 'wait', seconds: waiting.seconds, reason: waiting.reason, message: cut(waiting.message) };
}

type Ready = { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string };

/** Whether the library holds what the spec asks for. While a run goes on, what was said before stands. */
function readyOf({ plan, failure, invalid }: Pass, { lastRun }: VectorizationJobStatus): Ready | undefined {
  if (invalid.length > 0 || failure !== undefined) return undefined;
  const { waiting, unready } = plan;
  if (unready === true && waiting !== undefined) {
    return { status: 'False', reason: waiting.reason, message: waiting.message };
  }
  if (waiting !== undefined || lastRun === undefined) return undefined;
  return { status: 'True', reason: 'Succeeded', message: countsText(lastRun) };
}

/** The status without what only ticks: whether the rest has changed decides over immediate writes. */
export function withoutTicks(status: VectorizationJobStatus): unknown {
  const { progress, conditions, ...rest } = status;
  return {
    ...rest,
    ...(conditions === undefined
      ? {}
      : { conditions: conditions.map((condition) => ({ ...condition, message: withoutNumbers(condition.message) })) }),
    ...(progress === undefined
      ? {}
      : {
          progress: {
            run: progress.run,
            step: progress.step,
            attempt: progress.attempt,
            note: withoutNumbers(progress.note ?? ''),
          },
        }),
  };
}

const withoutNumbers = (message: string): string => message.replace(/\d+(?:\.\d+)?/g, '0');
