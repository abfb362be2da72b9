import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { followingAccess } from '../../sandbox/load/following-access.ts';
import { libraryAccess } from '../../sandbox/load/library-access.ts';
import { CLUSTERS, isReady, LIBRARIES, until } from '../../sandbox/run/wait.ts';
import { API_VERSION, type DomainLibrary, type QdrantCluster, type VectorizationJob } from '../../src/api/index.ts';
import {
  EVENTS,
  findCondition,
  type KubeClient,
  type KubeObject,
  type ObjectKey,
  SECRETS,
  type Secret,
} from '../../src/kube/index.ts';
import { ClusterClient, connectionOf } from '../../src/qdrant/index.ts';
import type { Ground } from '../ground.ts';
import { Diary } from './diary.ts';
import { eventually } from './eventually.ts';
import { Load, type LoadPace } from './load.ts';
import { notedGround } from './noted-ground.ts';
import { Operator } from './operator.ts';
import { PATIENCE_SECONDS, SCENARIO_SECONDS } from './patience.ts';

const run = promisify(execFile);

/** Vectors are small: what they hold doesn't matter here. */
export const DIMENSIONS = 8;

type ClusterSpec = QdrantCluster['spec'];
type LibrarySpec = DomainLibrary['spec'];
export type Saying = { readonly status?: string; readonly reason?: string; readonly message?: RegExp };
type Holds<T> = (object: T) => boolean;

/** A namespace of its own on a ground, and what people do there. */
export class Stage {
  readonly ground: Ground;
  readonly namespace: string;
  readonly operator: Operator;
  /** What was done here; the beginning of what is told of a failure. */
  readonly diary = new Diary();
  readonly #cleanups: (() => Promise<unknown>)[] = [];

  constructor(ground: Ground, namespace: string) {
    this.ground = notedGround(ground, this.diary);
    this.namespace = namespace;
    this.operator = new Operator(this.ground);
  }

  get admin(): KubeClient {
    return this.ground.admin;
  }

  key = (name: string): ObjectKey => ({ namespace: this.namespace, name });

  async createCluster(name: string, spec: Partial<ClusterSpec> = {}): Promise<void> {
    const full =
      spec.external === undefined
        ? { version: '1.18.3', size: 3, persistence: { size: '1Gi' }, ...this.ground.clusters, ...spec }
        : spec;
    this.#step(`create cluster ${name}`, full);
    await this.admin.create(CLUSTERS, this.#object('QdrantCluster', name, full) as QdrantCluster);
  }

  async createLibrary(name: string, cluster: string, spec: Partial<LibrarySpec> = {}): Promise<void> {
    const full = {
      domain: name,
      placement: { clusterRef: { name: cluster } },
      vectors: [{ name: '', size: DIMENSIONS, distance: 'Cosine' }],
      ...spec,
    };
    this.#step(`create library ${name}`, full);
    await this.admin.create(LIBRARIES, this.#object('DomainLibrary', name, full) as DomainLibrary);
  }

  async putSecret(name: string, values: Readonly<Record<string, string>>): Promise<void> {
    const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encoded(value)]));
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: this.key(name), data } as Secret;
    this.#step(`put Secret ${name} with ${Object.keys(values).join(', ')}`);
    await this.admin.delete(SECRETS, this.key(name));
    await this.admin.create(SECRETS, secret);
  }

  #step(text: string, body?: unknown): void {
    this.diary.note('step', body === undefined ? text : `${text} ${JSON.stringify(body)}`);
  }

  #object(kind: string, name: string, spec: unknown): KubeObject {
    return { apiVersion: API_VERSION, kind, metadata: this.key(name), spec } as KubeObject;
  }

  async changeCluster(name: string, body: unknown): Promise<void> {
    this.#step(`change cluster ${name}`, body);
    await this.admin.patch(CLUSTERS, this.key(name), body, { type: 'merge' });
  }

  async changeLibrary(name: string, body: unknown): Promise<void> {
    this.#step(`change library ${name}`, body);
    await this.admin.patch(LIBRARIES, this.key(name), body, { type: 'merge' });
  }

  async scale(cluster: string, size: number): Promise<void> {
    this.#step(`scale cluster ${cluster} to ${size}`);
    await this.admin.subresource(CLUSTERS, this.key(cluster), 'scale', {
      method: 'PATCH',
      body: { spec: { replicas: size } },
    });
  }

  /** What kubectl prints. @throws Error with its complaint */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { kubectl, kubeconfigFile } = this.ground;
    this.#step(`kubectl ${args.join(' ')}`);
    const all = [`--kubeconfig=${kubeconfigFile}`, `--namespace=${this.namespace}`, ...args];
    return (await run(kubectl, all, { timeout: SCENARIO_SECONDS * 1000 })).stdout;
  }

  cluster(name: string): Promise<QdrantCluster> {
    return this.admin.get(CLUSTERS, this.key(name));
  }

  library(name: string): Promise<DomainLibrary> {
    return this.admin.get(LIBRARIES, this.key(name));
  }

  untilCluster(name: string, holds: Holds<QdrantCluster>, what: string): Promise<QdrantCluster> {
    const { admin: client, namespace } = this;
    const options = { client, type: CLUSTERS, namespace, name, timeoutSeconds: PATIENCE_SECONDS };
    return this.#awaited(`cluster ${name} is ${what}`, until(options, holds, what));
  }

  untilLibrary(name: string, holds: Holds<DomainLibrary>, what: string): Promise<DomainLibrary> {
    const { admin: client, namespace } = this;
    const options = { client, type: LIBRARIES, namespace, name, timeoutSeconds: PATIENCE_SECONDS };
    return this.#awaited(`library ${name} is ${what}`, until(options, holds, what));
  }

  async #awaited<T>(what: string, waiting: Promise<T>): Promise<T> {
    this.#step(`wait until ${what}`);
    const result = await waiting;
    this.#step(`seen: ${what}`);
    return result;
  }

  clusterReady(name: string, size?: number): Promise<QdrantCluster> {
    const holds = (object: QdrantCluster) =>
      isReady(object) && (size === undefined || object.status?.replicas === size);
    return this.untilCluster(name, holds, size === undefined ? 'Ready' : `Ready with ${size} peers`);
  }

  libraryReady(name: string, generation?: number): Promise<DomainLibrary> {
    const holds = (object: DomainLibrary) =>
      isReady(object) &&
      object.status?.change === undefined &&
      (generation === undefined || object.status?.generation === generation);
    return this.untilLibrary(name, holds, generation === undefined ? 'Ready' : `Ready in generation ${generation}`);
  }

  clusterSays(name: string, type: string, saying: Saying): Promise<QdrantCluster> {
    return this.untilCluster(name, (object) => says(object, type, saying), `saying ${type} ${words(saying)}`);
  }

  librarySays(name: string, type: string, saying: Saying): Promise<DomainLibrary> {
    return this.untilLibrary(name, (object) => says(object, type, saying), `saying ${type} ${words(saying)}`);
  }

  /** Until an event about the object bears the reason. */
  async eventSays(name: string, reason: string): Promise<void> {
    await eventually(`event ${reason} about ${name}`, async () => {
      const events = await this.admin.listAll(EVENTS, { namespace: this.namespace });
      return events.some((event) => event.regarding?.name === name && event.reason === reason);
    });
  }

  /** Until the object is gone. */
  async gone(kind: 'cluster' | 'library', name: string): Promise<void> {
    const find = async (): Promise<unknown> =>
      kind === 'cluster' ? this.admin.find(CLUSTERS, this.key(name)) : this.admin.find(LIBRARIES, this.key(name));
    await eventually(`${kind} ${name} is gone`, async () => (await find()) === undefined);
  }

  /** Writes, updates, deletes and reads without pause, as an application would: through the binding Secret. */
  async load(library: string, pace: LoadPace = {}): Promise<Load> {
    const access = await libraryAccess(this.admin, { namespace: this.namespace, library });
    const load = new Load({ ...access, dimensions: DIMENSIONS, ...pace });
    this.#cleanups.push(() => load.close());
    return load;
  }

  /** The same, by an application that reads its binding anew when the library is not there any more. */
  async followingLoad(library: string, pace: LoadPace = {}): Promise<Load> {
    const access = await followingAccess(this.admin, { namespace: this.namespace, library });
    const load = new Load({ ...access, dimensions: DIMENSIONS, ...pace });
    this.#cleanups.push(() => load.close());
    return load;
  }

  /** All peers of a cluster, each by its own address, with all rights. Closed at the end of the scenario. */
  async qdrant(name: string): Promise<ClusterClient> {
    const cluster = await this.cluster(name);
    const secrets = await this.admin.listAll(SECRETS, { namespace: this.namespace });
    const result = connectionOf(cluster, (wanted) => {
      const data = secrets.find(({ metadata }) => metadata.name === wanted)?.data;
      return data === undefined
        ? undefined
        : Object.fromEntries(
            Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
          );
    });
    if (!result.ok) throw new Error(result.message);
    const client = new ClusterClient(result.connection);
    this.#cleanups.push(() => client.close());
    return client;
  }

  /** Something to be undone at the end of the scenario, however it ends. */
  defer(cleanup: () => Promise<unknown>): void {
    this.#cleanups.push(cleanup);
  }

  /** Undoes everything, whatever of it fails, and gives what failed. */
  async close(): Promise<readonly unknown[]> {
    const failures: unknown[] = [];
    for (const cleanup of this.#cleanups.splice(0).toReversed()) {
      await cleanup().catch((error: unknown) => failures.push(error));
    }
    return failures;
  }
}

/** Whether the object has such a condition. */
export function says(object: QdrantCluster | DomainLibrary | VectorizationJob, type: string, saying: Saying): boolean {
  const condition = findCondition(object.status?.conditions ?? [], type);
  if (condition === undefined) return false;
  const { status, reason, message } = saying;
  return (
    (status === undefined || condition.status === status) &&
    (reason === undefined || condition.reason === reason) &&
    (message === undefined || message.test(condition.message))
  );
}

const words = ({ status = '', reason = '', message }: Saying): string => `${status} ${reason} ${message ?? ''}`.trim();
const encoded = (value: string): string => Buffer.from(value).toString('base64');
