import type { Fault as EmbedderFault } from '../sandbox/embedder/faults.ts';
import type { ExternalEmbedder, ExternalEmbedderOptions } from '../sandbox/external-embedder.ts';
import type { Audit, Faults } from '../sandbox/kube/index.ts';
import type { StoreFault } from '../sandbox/object-store/server.ts';
import type { QdrantCluster } from '../src/api/index.ts';
import type { KubeClient, ObjectKey } from '../src/kube/index.ts';
import type { Need } from './needs.ts';

export { allNeedsBut, NEEDS, type Need } from './needs.ts';

export type GroundOptions = {
  /** More settings of the operator, as `QDRANT_LIBRARIAN_*` variables. */
  readonly operator?: Readonly<Record<string, string>>;
  /** How many gateways run; none when not given. */
  readonly gateways?: number;
};

/** A Qdrant that runs outside Kubernetes, as a user's own server would. Stopped and started it keeps its data. */
export type OutsideQdrant = {
  readonly url: string;
  /** @param version what it says of itself, where the ground can choose it */
  start(options: { readonly apiKey: string; readonly version?: string }): Promise<void>;
  stop(): Promise<void>;
};

export type { EmbedderFault, StoreFault };
export type OutsideEmbedderOptions = Omit<ExternalEmbedderOptions, 'address' | 'signal'>;

/** An embedder that runs outside Kubernetes: it speaks Ollama, OpenAI, TEI and Gemini, and fails as it is told. */
export type OutsideEmbedder = Pick<ExternalEmbedder, 'strike' | 'heal' | 'served' | 'stop'> & {
  readonly url: string;
  start(options: OutsideEmbedderOptions): Promise<void>;
};

/** What a peer shall do wrong, `count` times, to requests whose `METHOD /path` matches. */
export type QdrantFault = {
  readonly match: string;
  readonly kind: 'slow' | 'error' | 'cut' | 'nonsense' | '429';
  readonly count: number;
  readonly status?: number;
  readonly milliseconds?: number;
};

export type ApiFaults = Pick<
  Faults,
  'inject' | 'throttle' | 'fail' | 'delay' | 'conflictNext' | 'outage' | 'cutWatches' | 'expire' | 'clear'
>;
export type RequestAudit = Pick<Audit, 'onRequest' | 'count' | 'summary' | 'reset'>;

export type ControlPlane = {
  /** Stops the API server and starts it again on the same storage and port; resolves when it is ready. */
  restart(options?: { readonly awayMilliseconds?: number }): Promise<void>;
  /** Forgets all versions of objects but the present ones: who watches from an older one is answered 410. */
  compact(): Promise<void>;
};

export type ObjectStore = {
  readonly url: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};

/** What a ground has beyond a Kubernetes with an operator in it. Each belongs to a need. */
export type Capabilities = {
  /** Ends the process of every container of a pod as a crash does; started again by whoever runs the pod. */
  kill(pod: ObjectKey): Promise<void>;
  pause(pod: ObjectKey): Promise<void>;
  resume(pod: ObjectKey): Promise<void>;
  loseVolume(claim: ObjectKey): Promise<void>;
  readonly faults: ApiFaults;
  readonly controlPlane: ControlPlane;
  readonly audit: RequestAudit;
  /** Where the gateways serve that the options ask for. */
  readonly gatewayUrl: string;
  outsideQdrant(): OutsideQdrant;
  outsideEmbedder(): OutsideEmbedder;
  strikeQdrant(pod: ObjectKey, fault: QdrantFault): Promise<void>;
  healQdrant(pod: ObjectKey): Promise<void>;
  /** Arguments of every process of the ground that serves the product. */
  commandLines(): Promise<readonly string[]>;
  /** Path of the executable. */
  readonly kubectl: string;
  restartKubelet(): Promise<void>;
  objectStore(): Promise<ObjectStore>;
  /** From now on; undefined: nothing is wrong with it any more. */
  strikeObjectStore(fault: StoreFault | undefined): Promise<void>;
};

const NEED_OF: Readonly<Record<keyof Capabilities, Need>> = {
  kill: 'pod-faults',
  pause: 'pod-faults',
  resume: 'pod-faults',
  loseVolume: 'volume-faults',
  faults: 'api-faults',
  controlPlane: 'control-plane-faults',
  audit: 'audit',
  gatewayUrl: 'gateway',
  outsideQdrant: 'outside-qdrant',
  outsideEmbedder: 'outside-embedder',
  strikeQdrant: 'qdrant-faults',
  healQdrant: 'qdrant-faults',
  commandLines: 'command-lines',
  kubectl: 'kubectl',
  restartKubelet: 'kubelet-restart',
  objectStore: 'object-store',
  strikeObjectStore: 'object-store-faults',
};

/** A running Kubernetes with the operator in it. */
export type Basics = {
  readonly name: string;
  /** May do anything. */
  readonly admin: KubeClient;
  /** The same for kubectl. */
  readonly kubeconfigFile: string;
  readonly operator: { readonly namespace: string; readonly deployment: string; readonly user: string };
  /** Names of namespaces begin with it; '' by default. Where files share a cluster it tells them apart. */
  readonly prefix?: string;
  /** What every managed cluster needs here, e.g. where images come from. */
  readonly clusters?: Partial<QdrantCluster['spec']>;
  /** What the operator's pods answer at /metrics. */
  operatorMetrics(): Promise<string>;
  /** Ends what the ground started and removes what scenarios left, their namespaces included. */
  stop(): Promise<void>;
};

export type Ground = Basics & Capabilities;

/** What is shared by all files of a run. */
export type Prepared = {
  /** For the processes of the files. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

/** A module in `e2e/grounds`. */
export type GroundModule = {
  /** Asked after `prepare`, with its environment. */
  provides(): ReadonlySet<Need> | Promise<ReadonlySet<Need>>;
  /** For the reader of a run: which parts were real. Asked after `prepare`, with its environment. */
  parts(): string;
  /** Once per run. @throws CannotStart when the machine lacks a part */
  prepare?(say: (text: string) => void): Promise<Prepared>;
  /** Once per file. Capabilities that it does not provide are left out. */
  start(options: GroundOptions): Promise<Basics & Partial<Capabilities>>;
};

/** The machine lacks what a ground needs; the message names it. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

/** The ground with every capability: who uses one that is not there is told which need the scenario should have stated. */
export function complete(ground: Basics & Partial<Capabilities>): Ground {
  const missing = (Object.keys(NEED_OF) as (keyof Capabilities)[]).filter((name) => ground[name] === undefined);
  for (const name of missing) {
    Object.defineProperty(ground, name, {
      enumerable: false,
      get(): never {
        throw new Error(`ground ${ground.name} has no ${name}: the scenario needs ${NEED_OF[name]}`);
      },
    });
  }
  return ground as Ground;
}
