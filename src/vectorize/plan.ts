import type { Blocker, VectorizationProgress, VectorizationQuality, VectorizationRun } from '../api/index.ts';
import type { Occurrence } from '../kube/index.ts';
import type { Reason } from './reasons.ts';

/** One thing to do. None of them destroys anything that can't be made again. */
export type Step =
  | { readonly kind: 'startWorker'; readonly run: string }
  | { readonly kind: 'stopWorkers'; readonly jobs: readonly string[] };

/** A condition besides Ready, Reconciling and Stalled. */
export type Note = {
  readonly type: NoteType;
  readonly status: 'True' | 'False';
  readonly reason: Reason;
  readonly message: string;
};

/** Condition types that a pass sets or, when it says nothing of them, removes. */
export const NOTE_TYPES = [
  'Suspended',
  'RunBlocked',
  'BudgetSpent',
  'DeletionGuarded',
  'SourceRefuses',
  'EmbedderRefuses',
  'TargetRefuses',
  'WorkerHung',
  'DocumentsFailed',
  'QualityOk',
] as const;
export type NoteType = (typeof NOTE_TYPES)[number];

/** What a plan writes into the status once its steps are done; null removes a field. */
export type StatusChange = {
  readonly progress?: VectorizationProgress | null;
  readonly lastRun?: VectorizationRun;
  readonly quality?: VectorizationQuality;
  /** Value of the annotation that was obeyed. */
  readonly handled?: string;
};

/** What one pass does, and what it says about it. */
export type Plan = {
  readonly steps: readonly Step[];
  readonly status?: StatusChange;
  readonly notes?: readonly Note[];
  readonly events?: readonly Occurrence<Reason>[];
  readonly blockedBy?: readonly Blocker[];
  /** Undefined: the last run did all that is wanted, and nothing is due before `nextAt`. */
  readonly waiting?: { readonly reason: Reason; readonly message: string; readonly seconds: number };
  /** Set when this is why the object is not Ready. */
  readonly unready?: boolean;
  /** Only another spec, or somebody's word, can help. */
  readonly stalled?: boolean;
};

export const timestamp = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z');
