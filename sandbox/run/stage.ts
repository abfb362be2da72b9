import type { DomainLibrary, QdrantCluster, RebalancePolicy, VectorizationJob } from '../../src/api/index.ts';
import type { PointId } from '../../src/qdrant/index.ts';
import type { ExternalEmbedder } from '../external-embedder.ts';
import type { ExternalQdrant } from '../external-qdrant.ts';
import { type LibraryAccess, libraryAccess } from '../load/library-access.ts';
import { OPERATOR_NAMESPACE, type Sandbox } from '../sandbox.ts';
import type { Facts } from './facts.ts';
import { Ledger } from './ledger.ts';
import { StoryLoad, type Way } from './load.ts';
import { CLUSTERS, LIBRARIES, REBALANCE_POLICIES, until, VECTORIZATION_JOBS } from './wait.ts';

export const NAMESPACE = 'library';
/** Of the vectors of all libraries. */
export const DIMENSIONS = 128;

/** Told while a chapter is played: one line, in place of the last. */
export type Progress = (text: string) => void;

/** One part of the main job. */
export type Chapter = { readonly title: string; readonly play: (stage: Stage, progress: Progress) => Promise<void> };

type Waiting<T> = {
  readonly holds: (object: T) => boolean;
  /** Named when it never comes: "was not <what>". */
  readonly what: string;
  readonly timeoutSeconds: number;
};

/** What the chapters play on, and what one leaves for the next. */
export class Stage {
  readonly sandbox: Sandbox;
  readonly facts: Facts;
  readonly signal: AbortSignal;
  readonly ledger = new Ledger();
  /** Ids of the passages by library. */
  readonly written = new Map<string, ReadonlySet<PointId>>();
  /** Library that a plan has moved. */
  moved: string | undefined;
  /** A Qdrant that is no pod. */
  external: ExternalQdrant | undefined;
  /** An embedder that is no pod. */
  embedder: ExternalEmbedder | undefined;
  readonly #loads: StoryLoad[] = [];

  constructor(sandbox: Sandbox, facts: Facts, signal: AbortSignal) {
    this.sandbox = sandbox;
    this.facts = facts;
    this.signal = signal;
  }

  /** Waits for a cluster. @throws Error with its conditions when the time is over */
  cluster(name: string, { holds, what, timeoutSeconds }: Waiting<QdrantCluster>): Promise<QdrantCluster> {
    const { signal, sandbox } = this;
    const options = { client: sandbox.admin, type: CLUSTERS, namespace: NAMESPACE, name, timeoutSeconds, signal };
    return until(options, holds, what);
  }

  /** Waits for a library. @throws Error with its conditions when the time is over */
  library(name: string, { holds, what, timeoutSeconds }: Waiting<DomainLibrary>): Promise<DomainLibrary> {
    const { signal, sandbox } = this;
    const options = { client: sandbox.admin, type: LIBRARIES, namespace: NAMESPACE, name, timeoutSeconds, signal };
    return until(options, holds, what);
  }

  /** Waits for a VectorizationJob. @throws Error with its conditions when the time is over */
  job(name: string, { holds, what, timeoutSeconds }: Waiting<VectorizationJob>): Promise<VectorizationJob> {
    const { signal, sandbox } = this;
    const type = VECTORIZATION_JOBS;
    const options = { client: sandbox.admin, type, namespace: NAMESPACE, name, timeoutSeconds, signal };
    return until(options, holds, what);
  }

  /** Waits for a RebalancePolicy. @throws Error with its conditions when the time is over */
  policy(name: string, { holds, what, timeoutSeconds }: Waiting<RebalancePolicy>): Promise<RebalancePolicy> {
    const { signal, sandbox } = this;
    const type = REBALANCE_POLICIES;
    const options = { client: sandbox.admin, type, namespace: NAMESPACE, name, timeoutSeconds, signal };
    return until(options, holds, what);
  }

  /** As `kubectl scale` does. */
  async scale(name: string, replicas: number): Promise<void> {
    const key = { namespace: NAMESPACE, name };
    await this.sandbox.admin.subresource(CLUSTERS, key, 'scale', { method: 'PATCH', body: { spec: { replicas } } });
  }

  async changeLibrary(name: string, spec: Partial<DomainLibrary['spec']>): Promise<void> {
    await this.sandbox.admin.patch(LIBRARIES, { namespace: NAMESPACE, name }, { spec }, { type: 'merge' });
  }

  /** Works on a library as an application does, with its binding Secret. */
  async using(library: string, work: (access: LibraryAccess) => Promise<void>): Promise<void> {
    const access = await libraryAccess(this.sandbox.admin, { namespace: NAMESPACE, library });
    try {
      await work(access);
    } finally {
      await access.client.close();
    }
  }

  /** A client at work; it is ended by `endLoads`. Passages have UUIDs: numbers from `firstId` on are the load's. */
  async startLoad(library: string, { firstId, way }: { readonly firstId: number; readonly way: Way }): Promise<void> {
    const options = { dimensions: DIMENSIONS, firstId, way };
    this.#loads.push(await StoryLoad.start(this.sandbox.admin, { namespace: NAMESPACE, library }, options));
  }

  /** Notes whether all is there that the clients were told is written, and nothing else. */
  async endLoads(during: string): Promise<void> {
    for (let load = this.#loads.shift(); load !== undefined; load = this.#loads.shift()) await load.end(this, during);
  }

  operatorProcess() {
    const isOperator = (pod: string): boolean => !pod.startsWith('qdrant-librarian-gateway-');
    return this.sandbox.agent
      .processes()
      .find(({ namespace, pod }) => namespace === OPERATOR_NAMESPACE && isOperator(pod));
  }

  /** Ends what the chapters started. */
  async close(): Promise<void> {
    for (const load of this.#loads) await load.abandon();
    await this.external?.stop();
    await this.embedder?.stop();
  }
}
