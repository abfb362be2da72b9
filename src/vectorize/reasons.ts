import type { ResultReason } from './progress.ts';

/** Why a run did not succeed: the worker's words, and those about a worker that said none. */
const RUN_REASONS: Readonly<Record<ResultReason | 'WorkerFailed' | 'WorkerSilent' | 'WorkerStalled', string>> = {
  BudgetUsedUp: 'The run stopped when its tokens were used up. The next one goes on where it stopped.',
  DeletionGuard:
    'More points would have been deleted than spec.deletionGuardPercent allows: none was. All else is done.',
  ListingIncomplete: 'Part of the source could not be listed, so that nothing was deleted. It is tried again.',
  GatesClosed: 'The data is in the library, and a gate of spec.gates does not hold.',
  ModelChanged:
    'The model gives other vectors than before under the same name. spec.mode: Full embeds everything anew.',
  EmbedderUnauthorized: 'The embedder refuses the key, or the account has no credit. It is tried again.',
  EmbedderRefused: 'The embedder has no such model, or refuses every text. It is tried again.',
  EmbedderWrong: 'The embedder answers vectors that can not be right; none was stored. It is tried again.',
  EmbedderUnreachable: 'The embedder did not answer for as long as a run waits. It is tried again.',
  SourceMissing: 'The root of the source is not there. It is tried again.',
  SourceUnauthorized: 'The source refuses the credentials. It is tried again.',
  SourceUnreachable: 'The source did not answer. It is tried again.',
  SourceEmpty: 'The source holds no document and the library has some of it: nothing was deleted. It is tried again.',
  TargetMissing: "The library's collection was not there for as long as a run waits. It is tried again.",
  TargetUnauthorized: "Qdrant refuses the library's key. It is tried again.",
  TargetUnreachable: 'Qdrant did not answer for as long as a run waits. It is tried again.',
  TargetHeldBack: 'Writes to the library were refused for as long as a run waits. It is tried again.',
  TargetFull: 'A disk is full, or a quota of the collection is reached. It is tried again.',
  TargetUnsuitable: 'The collection takes no points like these. It is tried again.',
  ConfigInvalid: 'The golden queries, or a file that is mounted, can not be read. It is tried again.',
  Internal: 'The worker met a defect of its own. It is tried again.',
  WorkerFailed: "The worker's pods ended without a word. It is tried again.",
  WorkerSilent: 'A worker gave no sign of life and was ended; another goes on, four in a run at most.',
  WorkerStalled: 'A worker was alive, got nowhere and was ended; another goes on, four in a run at most.',
};

/**
 * Every reason that stands in a condition or an event of a VectorizationJob, with what it means. The names are API:
 * alerts and scripts depend on them.
 */
export const REASONS = {
  // Ready, Reconciling, Stalled
  Succeeded: 'The last run did all that was asked for.',
  Starting: 'A run is due and begins.',
  Running: 'A run goes on; the message tells how far it is.',
  WorkerPending: "The worker's pod has not begun yet; the message tells what the cluster says of it.",
  Stopping: 'An earlier run ends before the next one begins.',
  PredicatesRefuse: 'A run is due, and named predicates refuse it; see docs/predicates.md.',
  LibraryNotFound: 'The DomainLibrary does not exist; it may appear later.',
  LibraryUnbound: "The library's binding Secret is not there yet.",
  NotBuilt: 'Nothing acts on a field of the spec yet; the message names it.',
  InvalidSpec: 'A field of the spec breaks a rule.',
  Failed: 'The pass failed with an error; it is tried again.',
  ProgressingWithRetry: 'The pass failed with an error; it is tried again.',
  CacheBehind: 'The operator waits to see its own last write.',
  ...RUN_REASONS,
  // Other conditions
  Suspended: 'Nothing is done while spec.suspend is true.',
  GatesHold: 'Every gate held at the last check.',
  DocumentsFailed: 'Some documents could not be read, cut or embedded; the others are in the library.',
  // Events
  RunStarted: 'A run began.',
  RunSucceeded: 'A run did all that was asked for.',
  RunSuperseded: 'A run was given up because the spec changed; another begins.',
  PredicatesDisabled: 'A predicate refuses and is passed over: an annotation switches it off.',
} as const;

export type Reason = keyof typeof REASONS;
