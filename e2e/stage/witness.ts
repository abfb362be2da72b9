import { CLUSTERS, LIBRARIES, VECTORIZATION_JOBS } from '../../sandbox/run/wait.ts';
import type { DomainLibrary, QdrantCluster, VectorizationJob } from '../../src/api/index.ts';
import {
  Informer,
  type KubeClient,
  type KubeObject,
  PODS,
  type Pod,
  type ResourceType,
  SECRETS,
  type Secret,
} from '../../src/kube/index.ts';
import type { Diary } from './diary.ts';
import { clusterFacts, type Facts, libraryFacts, news, podFacts, vectorizationFacts } from './facts.ts';
import { SecretValues } from './failure/secret-values.ts';

const NOTHING: Facts = new Map();

/** Watches a namespace for the diary, and remembers what it saw last: of use when nobody answers any more. */
export class Witness {
  readonly clusters: Informer<QdrantCluster>;
  readonly libraries: Informer<DomainLibrary>;
  readonly vectorizations: Informer<VectorizationJob>;
  readonly pods: Informer<Pod>;
  readonly secrets: Informer<Secret>;
  /** Every value that a Secret of the namespace ever had. */
  readonly secretValues = new SecretValues();
  readonly #stopping = new AbortController();
  readonly #running: readonly Promise<void>[];

  constructor(client: KubeClient, namespace: string, diary: Diary) {
    const informer = <T extends KubeObject>(type: ResourceType<T>) => new Informer<T>({ client, type, namespace });
    this.clusters = noting(informer(CLUSTERS), clusterFacts, diary);
    this.libraries = noting(informer(LIBRARIES), libraryFacts, diary);
    this.vectorizations = noting(informer(VECTORIZATION_JOBS), vectorizationFacts, diary);
    this.pods = noting(informer(PODS), podFacts, diary);
    this.secrets = informer(SECRETS);
    this.secrets.onChange(({ object }) => this.secretValues.add(object));
    const all = [this.clusters, this.libraries, this.vectorizations, this.pods, this.secrets];
    this.#running = all.map((one) => one.start(this.#stopping.signal));
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }
}

function noting<T extends KubeObject>(informer: Informer<T>, facts: (object: T) => Facts, diary: Diary): Informer<T> {
  const seen = new Map<string, Facts>();
  informer.onChange(({ type, object }) => {
    const { kind, metadata } = object;
    const { name } = metadata;
    if (type === 'deleted') {
      seen.delete(name);
      diary.note('state', `${kind} ${name} is gone`);
      return;
    }
    const now = facts(object);
    for (const line of news(seen.get(name) ?? NOTHING, now)) diary.note('state', `${kind} ${name} ${line}`);
    seen.set(name, now);
  });
  return informer;
}
