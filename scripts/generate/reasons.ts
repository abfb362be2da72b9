import { ACCESS_REASONS } from '../../src/access.ts';
import type { ApiError } from '../../src/api/index.ts';
import { REASONS as CLUSTER_REASONS } from '../../src/cluster/reasons.ts';
import type { NoteType } from '../../src/library/plan.ts';
import { REASONS as LIBRARY_REASONS } from '../../src/library/reasons.ts';
import type { QdrantErrorCode } from '../../src/qdrant/index.ts';
import { REASONS as REBALANCE_REASONS } from '../../src/rebalance/reasons.ts';
import type { NoteType as VectorizeNoteType } from '../../src/vectorize/plan.ts';
import { REASONS as VECTORIZE_REASONS } from '../../src/vectorize/reasons.ts';

/** The list of condition types, reasons and error codes: one row each. */

const HEAD = `# Conditions, reasons, codes

<!-- Generated from src/cluster/reasons.ts, src/library/reasons.ts, src/rebalance/reasons.ts, src/vectorize/reasons.ts, src/access.ts and scripts/generate/reasons.ts by \`npm run generate\`. Don't edit. -->

A condition says by its **type** what it is about, by its **reason** why it has its status. Both are stable words that
alerts and scripts may depend on; messages are for people and may change. Events bear reasons of the same lists.
What to do about those that need somebody is told in [kinds.md](kinds.md) and [failure-modes.md](failure-modes.md);
the predicates that messages name, in [predicates.md](predicates.md).
`;

type Conditions = Readonly<Record<string, string>>;

const KSTATUS = {
  Ready: 'Whether it is as wanted and can be used. Always there.',
  Reconciling: 'Only while True: something is under way or waited for; the message names it.',
  Stalled: 'Only while True: nothing is tried until the object changes.',
} as const;

/** Types that src/cluster/report/facts.ts sets; a test compares them. */
export const CLUSTER_CONDITIONS = {
  ...KSTATUS,
  Available: 'Whether every shard has a readable replica, a majority of the peers answers and the Service has a pod.',
  Degraded: 'Whether something is damaged, beyond what every change brings with it.',
  ScalingBlocked: 'Whether a predicate that does not pass by itself stands against the size that is wanted.',
  Suspended: 'Only while True: spec.suspend is set; the message says whether changes are pending.',
  NameTaken: "Only while True: an object of a name that the operator needs is somebody else's.",
  FieldsNotActedOn: 'Only while True: the fields in the message are set and this version does nothing about them.',
  KeyChanged: 'Only while True: the key in the Secret is not yet the one that pods run with.',
  Distributed: 'Only while False: the server runs without distributed mode.',
  VersionUntested: 'Only while True: Qdrant is newer than the versions that were tested.',
  TransferStuck: 'Only while True: a shard transfer has been running for more than half an hour.',
} as const satisfies Conditions;

const LIBRARY_CONDITIONS: Readonly<Record<keyof typeof KSTATUS | NoteType, string>> = {
  ...KSTATUS,
  Bound: 'Whether the binding Secret is as it should be.',
  ChangeBlocked:
    'Only while True: predicates refuse to make a collection, to add a vector or to begin a new generation; or the copy of one meets a failure that it tries again.',
  ConfigNotReflected: 'Only while True: Qdrant took a setting and shows another value.',
  AliasTaken: 'Only while True: a name in spec.aliases leads elsewhere; it is left alone.',
  SnapshotFailing: 'Only while True: a snapshot is due and not made; the message says why, and it is tried again.',
  TrialBlocked: 'Only while True: a snapshot is to be tried, and something holds it up.',
  RollbackBlocked: 'Only while True: a rollback is ordered, and something holds it up; what is live serves.',
  RollbackFailed:
    'Only while True: the rollback in the spec was refused or failed for good; what is live was not touched.',
  Discovered:
    'Whether the library holds domains, as the last discovery found, or why none can be looked for; absent before the first.',
  DiscoveryFailing: 'Only while True: domains are to be looked for and the worker fails; it is tried again.',
  MoveBlocked:
    'Only while True: a move is refused by named predicates, waits for the other cluster, or its copy meets a failure that it tries again.',
  QuickReturn: 'After a move: whether a move back to where the library came from is promised within five minutes.',
  ReverseSync:
    'After a move: whether what it has left is kept in step with what serves; absent where that is switched off.',
  DropBlocked: 'Only while True: what a move has left is due to be dropped, and named predicates keep it.',
  Suspended: 'Only while True: spec.suspend is set.',
  FieldsNotActedOn: 'Only while True: the fields in the message are set and this version does nothing about them.',
};

const VECTORIZE_CONDITIONS: Readonly<Record<keyof typeof KSTATUS | VectorizeNoteType, string>> = {
  ...KSTATUS,
  QualityOk: 'Whether every gate held at the last check; absent before the first.',
  RunBlocked: 'Only while True: a run is due, and predicates refuse it.',
  BudgetSpent: 'Only while True: the last run stopped when its tokens were used up.',
  DeletionGuarded: 'Only while True: the last run deleted nothing, as it would have been more than the guard allows.',
  SourceRefuses: 'Only while True: the last run could not read its source, or not all of it.',
  EmbedderRefuses: 'Only while True: the last run failed by its embedder.',
  TargetRefuses: 'Only while True: the last run could not write to the library.',
  WorkerHung:
    'Only while True: a worker of the run that goes on, or of the last one that failed, hung and was ended; the message says since when, and where.',
  DocumentsFailed: 'Only while True: documents of the last run failed; the message names the first.',
  Suspended: 'Only while True: spec.suspend is set.',
};

/** Types that src/rebalance/report/conditions.ts sets; a test compares them. */
export const REBALANCE_CONDITIONS = {
  ...KSTATUS,
  Planned:
    'Whether there is a plan that is shown, approved or executed; the reason says where it stands, or why there is none.',
  Balanced: 'Whether no cluster lies above a threshold for long enough to call for a plan.',
  LoadKnown: 'Whether every peer of every cluster answers, and each cluster tells its size.',
  ThresholdAhead:
    'Whether a threshold will be crossed within the horizon; Unknown while too little of the past is known.',
  VersionsDiffer: 'Only while True: clusters run different versions of Qdrant.',
  VerbRefused: 'Only while True: the annotation qdrant-librarian.io/plan is not valid in the present state; it stays.',
  Suspended: 'Only while True: spec.suspend is set.',
} as const satisfies Conditions;

const API_ERRORS: Readonly<Record<ApiError['reason'], string>> = {
  UnknownKind: 'The object is of none of the four kinds.',
  UnknownVersion: 'The version of the API group is not v1alpha1.',
  InvalidRule: 'A CEL rule of a schema can not be read: a mistake in this program.',
  InvalidQuantity: 'A text is no Kubernetes quantity such as 10Gi.',
  UnreadableManifest: 'A file is not YAML.',
};

const QDRANT_CODES: Readonly<Record<QdrantErrorCode, string>> = {
  Timeout: 'No answer within the time for this kind of call.',
  Unreachable: 'No connection, or it was cut; no such host; TLS was refused.',
  Aborted: 'The pass that asked was ended.',
  BadRequest: 'Qdrant refuses the request (400, 405, 413, 422), or it could not be sent as it was.',
  Unauthorized: 'Qdrant refuses the key (401).',
  Forbidden: 'The key may not do this (403).',
  NotFound: 'There is no such thing (404).',
  Conflict: 'It exists already, or is being changed (409).',
  RateLimited: 'Too many requests (429); strict mode answers this, a fence too.',
  Internal: 'Qdrant failed (500).',
  Unavailable: 'Qdrant or something before it is not there (502, 503, 504).',
  InsufficientStorage: 'The disk is full: 507, or 500 with `No space left on device`.',
  Unexpected: 'Something answered, but not as Qdrant does.',
};

const cell = (text: string): string => text.replaceAll('|', String.raw`\|`).replaceAll('<', String.raw`\<`);

/** @throws Error for a name without a text: a word that nobody explains helps nobody */
function table(title: string, entries: Readonly<Record<string, string>>): string {
  const rows = Object.entries(entries).map(([name, text]) => {
    if (text.trim() === '') throw new Error(`${name} has no text`);
    return `| \`${name}\` | ${cell(text)} |`;
  });
  return [`| ${title} | meaning |`, '|---|---|', ...rows].join('\n');
}

/** docs/reasons.md. */
export const reasonsPage = (): string =>
  `${[
    HEAD.trimEnd(),
    '## QdrantCluster',
    table('condition', CLUSTER_CONDITIONS),
    table('reason', CLUSTER_REASONS),
    '## DomainLibrary',
    table('condition', LIBRARY_CONDITIONS),
    table('reason', LIBRARY_REASONS),
    '## RebalancePolicy',
    table('condition', REBALANCE_CONDITIONS),
    table('reason', REBALANCE_REASONS),
    '## VectorizationJob',
    table('condition', VECTORIZE_CONDITIONS),
    table('reason', VECTORIZE_REASONS),
    "## The operator's own pod",
    'Events only.',
    table('reason', ACCESS_REASONS),
    '## Errors of the API package',
    'Exceptions that `src/api` throws. `qdrant-librarian validate` reports an unreadable file with its line.',
    table('reason', API_ERRORS),
    '## Codes of the Qdrant client',
    'They stand in the label `code` of the metrics `qdrant_client_requests_total` and `qdrant_client_retries_total`.',
    table('code', QDRANT_CODES),
  ].join('\n\n')}\n`;
