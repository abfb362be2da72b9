import type { Blocker, DomainLibraryStatus, GenerationChange, GenerationStatus } from '../api/index.ts';
import type { Occurrence } from '../kube/index.ts';
import type { Mark } from '../migration/index.ts';
import type { NewVector, ShardKey } from '../qdrant/index.ts';
import type { DiscoveryOrder } from './discovery/orders.ts';
import type { DiscoveryStatus } from './discovery/wanted.ts';
import type { Reason } from './reasons.ts';
import type { ReverseOrder } from './reverse/orders.ts';
import type { Section } from './shape.ts';
import type { LocalFiles } from './snapshots/local-files.ts';
import type { SnapshotOrder, SnapshotsPlanned } from './snapshots/orders.ts';

/** Something done to Qdrant. */
export type QdrantStep = {
  /** Name of the QdrantCluster; the library's own when not given. */
  readonly cluster?: string;
} & (
  | { readonly kind: 'createCollection'; readonly collection: string; readonly body: Section }
  | {
      readonly kind: 'createShardKey';
      readonly collection: string;
      readonly key: ShardKey;
      /** As many as the collection has by its parameters when not given. */
      readonly shards?: number;
      /** The same of replicas. */
      readonly replicas?: number;
    }
  | { readonly kind: 'createIndex'; readonly collection: string; readonly field: string; readonly schema: Section }
  | { readonly kind: 'dropIndex'; readonly collection: string; readonly field: string }
  | { readonly kind: 'addVector'; readonly collection: string; readonly vector: string; readonly config: NewVector }
  /** `note`: under this key the digest of what was sent is remembered, so that it is not sent again and again. */
  | { readonly kind: 'patch'; readonly collection: string; readonly body: Section; readonly note: string }
  | { readonly kind: 'mark'; readonly collection: string; readonly mark: Mark }
  | { readonly kind: 'fence' | 'unfence'; readonly collection: string; readonly body: Section }
  | { readonly kind: 'pointAliases'; readonly collection: string; readonly aliases: readonly string[] }
  | { readonly kind: 'dropAlias'; readonly alias: string }
  | { readonly kind: 'dropCollection'; readonly collection: string }
  /** What snapshots have left on the peers beside a collection. */
  | { readonly kind: 'dropLocalFiles'; readonly files: LocalFiles }
);

/** Something done to Kubernetes. */
export type KubeStep =
  | {
      readonly kind: 'startCopy';
      readonly from: string;
      readonly to: string;
      /** Clusters of both; the library's own when not given. */
      readonly fromCluster?: string;
      readonly toCluster?: string;
      /** The target was filled before: it is compared at once. */
      readonly again?: boolean;
      readonly generation: number;
      readonly attempt: number;
    }
  | { readonly kind: 'stopCopy'; readonly jobs: readonly string[] }
  /** Deletes what earlier copies have left: Jobs, ConfigMaps, rights. */
  | { readonly kind: 'cleanUpCopy' }
  | { readonly kind: 'snapshot'; readonly order: SnapshotOrder }
  | { readonly kind: 'discover'; readonly order: DiscoveryOrder }
  | { readonly kind: 'reverse'; readonly order: ReverseOrder }
  | { readonly kind: 'addFinalizer' }
  | { readonly kind: 'removeFinalizer' };

/** One thing to do. Those that destroy something are marked in `isDestructive`; a plan holds at most one of them. */
export type Step = QdrantStep | KubeStep;

const KUBE_STEPS: readonly Step['kind'][] = [
  'startCopy',
  'stopCopy',
  'cleanUpCopy',
  'snapshot',
  'discover',
  'reverse',
  'addFinalizer',
  'removeFinalizer',
] satisfies KubeStep['kind'][];

export const isQdrantStep = (step: Step): step is QdrantStep => !KUBE_STEPS.includes(step.kind);

/** The same plan with its steps for Qdrant carried out on another cluster. */
export const on = (cluster: string, plan: Plan): Plan => ({
  ...plan,
  steps: plan.steps.map((step) => (isQdrantStep(step) ? { ...step, cluster } : step)),
});

export const isDestructive = ({ kind }: Step): boolean =>
  kind === 'dropCollection' || kind === 'dropAlias' || kind === 'dropIndex' || kind === 'dropLocalFiles';

/** A condition besides Ready, Reconciling and Stalled. */
export type Note = {
  readonly type: NoteType;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
};

/** Condition types that a pass sets or, when it says nothing of them, removes. */
export const NOTE_TYPES = [
  'Suspended',
  'FieldsNotActedOn',
  'MoveBlocked',
  'QuickReturn',
  'ReverseSync',
  'DropBlocked',
  'ChangeBlocked',
  'ConfigNotReflected',
  'AliasTaken',
  'SnapshotFailing',
  'TrialBlocked',
  'RollbackBlocked',
  'RollbackFailed',
  'Discovered',
  'DiscoveryFailing',
  'Bound',
] as const;
export type NoteType = (typeof NOTE_TYPES)[number];

/** What a plan writes into the status once its steps are done; null removes a field. */
export type StatusChange = {
  readonly cluster?: string;
  readonly collection?: string;
  readonly generation?: number;
  readonly generations?: GenerationStatus[];
  readonly change?: GenerationChange | null;
  readonly snapshots?: SnapshotsPlanned;
  readonly discovery?: DiscoveryStatus | null;
  readonly rollback?: NonNullable<DomainLibraryStatus['rollback']>;
  /** Values of annotations that are obeyed with it. */
  readonly handled?: Readonly<Record<string, string>>;
};

/** What one pass does, and what it says about it. */
export type Plan = {
  readonly steps: readonly Step[];
  readonly status?: StatusChange;
  readonly notes?: readonly Note[];
  readonly events?: readonly Occurrence[];
  readonly blockedBy?: readonly Blocker[];
  /** Undefined: nothing is left to do, or waiting for nothing. */
  readonly waiting?: { readonly reason: Reason; readonly message: string; readonly seconds: number };
  /** Seconds after which to look again, though nothing is waited for. */
  readonly again?: number;
  /** Set when this is why the library can't be used. */
  readonly unready?: boolean;
  /** Only another spec can help. */
  readonly stalled?: boolean;
};

export const generationsOf = (status: DomainLibraryStatus | undefined): readonly GenerationStatus[] =>
  status?.generations ?? [];

/** The list with one entry replaced or added. */
export function withGeneration(generations: readonly GenerationStatus[], entry: GenerationStatus): GenerationStatus[] {
  return [...generations.filter(({ number }) => number !== entry.number), entry].toSorted(
    (a, b) => a.number - b.number,
  );
}

/** The list after `number` has become the active one: the one before is retired. */
export function activated(
  generations: readonly GenerationStatus[],
  number: number,
  proof: Partial<Pick<GenerationStatus, 'switchedAt' | 'points' | 'digest'>> & { readonly keepUntil?: string },
): GenerationStatus[] {
  const { keepUntil, ...active } = proof;
  return generations.map((entry): GenerationStatus => {
    if (entry.number === number) return { ...entry, state: 'Active', ...active };
    return entry.state === 'Active'
      ? { ...entry, state: 'Retired', ...(keepUntil === undefined ? {} : { keepUntil }) }
      : entry;
  });
}

export const timestamp = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z');
