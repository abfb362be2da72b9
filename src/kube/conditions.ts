import type { Outcome } from './outcome.ts';

export type ConditionStatus = 'True' | 'False' | 'Unknown';

/** One entry of `status.conditions`. Source: Kubernetes API conventions, "Typical status properties". */
export type Condition = {
  type: string;
  status: ConditionStatus;
  observedGeneration?: number;
  /** RFC 3339; when `status` last changed. */
  lastTransitionTime: string;
  /** One CamelCase word. */
  reason: string;
  message: string;
};

export type NewCondition = Omit<Condition, 'lastTransitionTime'>;

export const findCondition = (list: readonly Condition[], type: string): Condition | undefined =>
  list.find((condition) => condition.type === type);

export const isTrue = (list: readonly Condition[], type: string): boolean =>
  findCondition(list, type)?.status === 'True';

/** The list with the condition in it; `lastTransitionTime` moves only when its status does. The order is kept. */
export function setCondition(list: readonly Condition[], condition: NewCondition, now: string): Condition[] {
  const before = findCondition(list, condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now;
  const after: Condition = { ...condition, lastTransitionTime };
  return before === undefined ? [...list, after] : list.map((each) => (each.type === condition.type ? after : each));
}

export const removeCondition = (list: readonly Condition[], type: string): Condition[] =>
  list.filter((condition) => condition.type !== type);

/** How a pass ended, for the conditions: its outcome, or the error it threw. */
export type PassResult = Outcome | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

export type FinalizeOptions = {
  readonly result: PassResult;
  /** `metadata.generation` of the object that was reconciled. */
  readonly generation: number;
  /** RFC 3339. */
  readonly now: string;
  /**
   * `status.observedGeneration`: the generation that was last carried out in full. With it, an object that is Ready
   * while a change is being carried out, or was given up, is Ready as of that generation, so that `kubectl wait` waits
   * for the change.
   */
  readonly observedGeneration?: number;
  /** What the controller itself says of readiness. Not asked when the pass failed; a stalled one may still be Ready. */
  readonly ready?: { readonly status: ConditionStatus; readonly reason: string; readonly message: string };
};

export type Finalized = {
  readonly conditions: Condition[];
  /** What to write as `status.observedGeneration`; undefined: leave the old value. */
  readonly observedGeneration: number | undefined;
};

/**
 * The conditions at the end of a pass, by the rules of kstatus: `Ready` is always there, `Reconciling` and `Stalled`
 * only while true and never both, and the generation counts as observed only when the object is Ready or Stalled.
 * Other conditions stay as they are. Source: Flux `pkg/runtime/reconcile/result.go`, kstatus `status/generic.go`.
 */
export function finalizeConditions(list: readonly Condition[], options: FinalizeOptions): Finalized {
  const { result, generation, now } = options;
  const set = (conditions: readonly Condition[], condition: Omit<NewCondition, 'observedGeneration'>): Condition[] =>
    setCondition(conditions, { ...condition, observedGeneration: generation }, now);
  const ready = readyOf(list, options);
  const behind = ready?.status === 'True' ? readyAsOf(list, options) : undefined;
  let conditions =
    ready === undefined
      ? [...list]
      : setCondition(list, { type: 'Ready', ...ready, observedGeneration: behind ?? generation }, now);
  const progress = progressOf(result);
  conditions =
    progress === undefined
      ? removeCondition(conditions, 'Reconciling')
      : set(conditions, { type: 'Reconciling', status: 'True', ...progress });
  conditions =
    result.kind === 'stalled'
      ? set(conditions, { type: 'Stalled', status: 'True', reason: result.reason, message: result.message })
      : removeCondition(conditions, 'Stalled');
  const observed = result.kind === 'stalled' || (ready?.status === 'True' && behind === undefined);
  return { conditions, observedGeneration: observed ? generation : undefined };
}

/** The generation that an object is Ready at while the next one isn't carried out; undefined = the present one. */
function readyAsOf(list: readonly Condition[], { result, observedGeneration }: FinalizeOptions): number | undefined {
  if (observedGeneration === undefined || (result.kind !== 'wait' && result.kind !== 'stalled')) return undefined;
  const before = findCondition(list, 'Ready');
  // A generation that stalled counts as observed, though nobody carried it out.
  const held = before?.status === 'True' ? before.observedGeneration : undefined;
  return Math.min(observedGeneration, held ?? observedGeneration);
}

type Ready = Pick<Condition, 'status' | 'reason' | 'message'>;

/** Undefined: leave the condition as it is. */
function readyOf(list: readonly Condition[], { result, ready }: FinalizeOptions): Ready | undefined {
  switch (result.kind) {
    case 'done':
      return ready ?? { status: 'True', reason: 'Succeeded', message: 'all is as wanted' };
    case 'wait':
      // Waiting says nothing against what was ready before, and nothing of the generation it was ready at.
      if (ready !== undefined || findCondition(list, 'Ready') !== undefined) return ready;
      return { status: 'Unknown', reason: result.reason, message: result.message };
    case 'stalled':
      if (ready?.status === 'True') return ready;
      return { status: 'False', reason: result.reason, message: result.message };
    case 'failed':
      return { status: 'False', reason: result.reason, message: result.message };
  }
}

function progressOf(result: PassResult): Pick<Condition, 'reason' | 'message'> | undefined {
  switch (result.kind) {
    case 'wait':
      return { reason: result.reason, message: result.message };
    case 'failed':
      return { reason: 'ProgressingWithRetry', message: result.message };
    case 'done':
    case 'stalled':
      return undefined;
  }
}
