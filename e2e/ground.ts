import type { Audit, Faults } from '../sandbox/kube/index.ts';
import type { KubeClient, ObjectKey } from '../src/kube/index.ts';

/** What a scenario may ask of the ground it plays on, beside a Kubernetes with the operator in it. */
export const NEEDS = {
  'pod-faults': 'kills and pauses the processes of a pod',
  'volume-faults': 'empties the volume of a claim',
  'api-faults': 'makes the API server slow, wrong or absent',
  audit: 'knows every request to the API server',
  'outside-qdrant': 'runs a Qdrant beside Kubernetes',
  'qdrant-faults': 'makes a Qdrant peer slow or wrong',
  'command-lines': 'sees the arguments of all processes',
  kubectl: 'has kubectl',
} as const;

export type Need = keyof typeof NEEDS;

export const GROUNDS = ['embedded', 'control-plane', 'node'] as const;

export type GroundOptions = {
  /** More settings of the operator, as `QDRANT_LIBRARIAN_*` variables. */
  readonly operator?: Readonly<Record<string, string>>;
};

/** A Qdrant that runs outside Kubernetes, as a user's own server would. Stopped and started it keeps its data. */
export type OutsideQdrant = {
  readonly url: string;
  /** @param version what it says of itself, where the ground can choose it */
  start(options: { readonly apiKey: string; readonly version?: string }): Promise<void>;
  stop(): Promise<void>;
};

/** What a peer shall do wrong, `count` times, to requests whose `METHOD /path` matches. */
export type QdrantFault = {
  readonly match: string;
  readonly kind: 'slow' | 'error' | 'cut' | 'nonsense' | '429';
  readonly count: number;
  readonly status?: number;
  readonly milliseconds?: number;
};

/** A running Kubernetes with the operator in it, and the means to disturb it. */
export type Ground = {
  readonly name: string;
  /** For the reader of a run: which parts were real. */
  readonly parts: string;
  readonly provides: ReadonlySet<Need>;
  /** May do anything. */
  readonly admin: KubeClient;
  /** The same for kubectl. */
  readonly kubeconfigFile: string;
  readonly operator: { readonly namespace: string; readonly deployment: string; readonly user: string };
  kill(pod: ObjectKey): void;
  pause(pod: ObjectKey): void;
  resume(pod: ObjectKey): void;
  loseVolume(claim: ObjectKey): Promise<void>;
  readonly faults: Faults;
  readonly audit: Audit;
  outsideQdrant(): OutsideQdrant;
  strikeQdrant(pod: ObjectKey, fault: QdrantFault): Promise<void>;
  healQdrant(pod: ObjectKey): Promise<void>;
  /** Arguments of every process of the ground that serves the product. */
  commandLines(): Promise<readonly string[]>;
  /** What the operator's pods answer at /metrics. */
  operatorMetrics(): Promise<string>;
  stop(): Promise<void>;
};

/** The ground that `E2E_GROUND` names; `embedded` when it names none. */
export const groundName = (): string => process.env['E2E_GROUND'] ?? 'embedded';

/** @throws Error for a ground that is not built yet */
export async function startGround(options: GroundOptions = {}): Promise<Ground> {
  const name = groundName();
  if (name !== 'embedded') throw new Error(`ground ${name} is not built yet`);
  const { startEmbedded } = await import('./grounds/embedded.ts');
  return startEmbedded(options);
}

/** What the named ground offers, known without starting it. */
export async function provisions(): Promise<ReadonlySet<Need>> {
  const { embeddedProvides } = await import('./grounds/embedded.ts');
  return embeddedProvides();
}
