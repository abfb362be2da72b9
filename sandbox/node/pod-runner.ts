import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '../../src/kube/index.ts';
import { ContainerLog } from './container-log.ts';
import { ContainerRunner, type Launch } from './container-runner.ts';
import { buildEnvironment, type EnvironmentSources } from './environment.ts';
import { runtimeOf } from './image.ts';
import { layOutContainer } from './pod-directory.ts';
import type { PodPlace } from './pod-fields.ts';
import type { PodHost } from './pod-host.ts';
import { type ContainerView, podStatus } from './pod-status.ts';
import { PodVolumes } from './pod-volumes.ts';
import { processSpecification } from './process-specification.ts';
import { StatusWriter } from './status-writer.ts';
import { type Container, type PodCondition, type PodStatus, podName, podNamespace, podUid } from './wire.ts';

/** How often a pod whose volumes can't be set up looks again by itself; changes of objects make it look at once. */
const MOUNT_RETRY_MILLISECONDS = 1000;
/** Pods without a service account of their own have no business with the API server. */
const TOKEN_SECONDS = 10 * 86_400;
const REMOVE_RETRY_MILLISECONDS = 500;
const DEFAULT_GRACE_SECONDS = 30;
const KEPT_RUNS = 2;

/** The life of one pod on this node: volumes, init containers, containers, and its end. */
export class PodRunner {
  readonly #host: PodHost;
  readonly #directory: string;
  readonly #volumes: PodVolumes;
  readonly #writer: StatusWriter;
  readonly #place: PodPlace;
  readonly #startTime: string;
  readonly #stopping = new AbortController();
  readonly #init: ContainerRunner[];
  readonly #containers: ContainerRunner[];
  readonly #logs = new Map<string, ContainerLog[]>();
  #pod: Pod;
  #conditions: readonly PodCondition[] | undefined;
  #changed = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(pod: Pod, host: PodHost) {
    this.#pod = pod;
    this.#host = host;
    this.#directory = join(host.directory, podUid(pod));
    this.#startTime = pod.status?.startTime ?? new Date().toISOString();
    this.#place = { nodeName: host.nodeName, hostIP: host.hostIP, podIP: host.allocateAddress() };
    this.#volumes = new PodVolumes({
      volumes: pod.spec?.volumes ?? [],
      directory: join(this.#directory, 'volumes'),
      claimDirectory: (claim) => host.claimDirectory(podNamespace(pod), claim),
      requestToken: (request) => host.requestToken(pod, request),
    });
    this.#writer = new StatusWriter({
      current: () => this.#status(),
      write: (status) => host.writeStatus(this.#pod, status),
      onError: (error) => host.log.debug({ pod: podName(pod), err: error }, 'pod status not written'),
    });
    this.#init = (pod.spec?.initContainers ?? []).map((container) => this.#runner(container, true));
    this.#containers = (pod.spec?.containers ?? []).map((container) => this.#runner(container, false));
  }

  get pod(): Pod {
    return this.#pod;
  }

  get podIP(): string {
    return this.#place.podIP;
  }

  /** Begins the pod's life. Returns at once. */
  start(): void {
    this.#writer.changed();
    this.#running = this.#run().catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return;
      this.#host.log.error({ pod: podName(this.#pod), err: error }, 'pod stopped by a fault of the node agent');
    });
  }

  async #run(): Promise<void> {
    await this.#setUpVolumes();
    for (const runner of this.#init) {
      await runner.run();
      if (this.#stopping.signal.aborted || runner.view.state.terminated?.exitCode !== 0) return;
    }
    await Promise.all(this.#containers.map((runner) => runner.run()));
  }

  async #setUpVolumes(): Promise<void> {
    for (;;) {
      const refusal = await this.#updateVolumes();
      if (refusal === undefined) return;
      this.#host.onEvent(this.#pod, { type: 'Warning', reason: 'FailedMount', message: refusal });
      this.#changed = Promise.withResolvers();
      const pause = sleep(MOUNT_RETRY_MILLISECONDS, undefined, { signal: this.#stopping.signal });
      await Promise.race([this.#changed.promise, pause]);
    }
  }

  async #updateVolumes(): Promise<string | undefined> {
    try {
      return await this.#volumes.update(this.#sources());
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Brings mounted ConfigMaps, Secrets and downward files up to date. */
  async refreshVolumes(): Promise<void> {
    this.#changed.resolve();
    const refusal = await this.#updateVolumes();
    // A source that vanished leaves the files as they are: as the kubelet does.
    if (refusal !== undefined) this.#host.log.debug({ pod: podName(this.#pod), refusal }, 'volume not refreshed');
  }

  #sources(): EnvironmentSources {
    const references = this.#host.references(podNamespace(this.#pod));
    return { pod: this.#pod, place: this.#place, references };
  }

  #runner(container: Container, isInit: boolean): ContainerRunner {
    const { spec, status } = this.#pod;
    const statuses = isInit ? status?.initContainerStatuses : status?.containerStatuses;
    const before = statuses?.find(({ name }) => name === container.name);
    const ranBefore = before?.state?.running !== undefined || before?.state?.terminated !== undefined;
    const always = (spec?.restartPolicy ?? 'Always') === 'Always';
    return new ContainerRunner({
      container,
      podIP: this.#place.podIP,
      restartPolicy: isInit && always ? 'OnFailure' : spec?.restartPolicy,
      graceSeconds: spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS,
      backoff: this.#host.backoff,
      watchdog: this.#host.watchdog,
      restartCount: (before?.restartCount ?? 0) + (ranBefore ? 1 : 0),
      launch: () => this.#launch(container),
      openLog: (run) => this.#openLog(container.name, run),
      onChange: () => this.#writer.changed(),
      onEvent: (event) => this.#host.onEvent(this.#pod, event),
    });
  }

  async #launch(container: Container): Promise<Launch> {
    const runtime = runtimeOf(container.image ?? '', this.#host.runtimes);
    if (runtime === undefined) {
      const message = `no runtime of this node agent runs image ${JSON.stringify(container.image)}`;
      return { ok: false, reason: 'ErrImagePull', message };
    }
    const environment = buildEnvironment(container, this.#sources());
    if (!environment.ok) return { ok: false, reason: 'CreateContainerConfigError', message: environment.message };
    try {
      const { variables } = environment;
      const root = join(this.#directory, 'containers', container.name);
      const volumeDirectory = (volume: string): string => this.#volumes.directoryOf(volume);
      const mappings = await layOutContainer({ root, runtime, container, volumeDirectory, variables });
      const base = { ...this.#host.environment, ...(await this.#access()), HOSTNAME: this.#hostname(), HOME: root };
      const { podIP } = this.#place;
      return {
        ok: true,
        specification: processSpecification({ container, runtime, base, variables, podIP, root, mappings }),
      };
    } catch (error) {
      return { ok: false, reason: 'CreateContainerError', message: (error as Error).message };
    }
  }

  #hostname(): string {
    return this.#pod.spec?.hostname ?? podName(this.#pod);
  }

  /** The pod's service account as a kubeconfig: programs look there before the mounted token. */
  async #access(): Promise<Record<string, string>> {
    const { serviceAccountName, automountServiceAccountToken } = this.#pod.spec ?? {};
    const anonymous = serviceAccountName === undefined || serviceAccountName === 'default';
    if (anonymous || automountServiceAccountToken === false) return {};
    const path = join(this.#directory, 'kubeconfig');
    const token = await this.#host.requestToken(this.#pod, { expirationSeconds: TOKEN_SECONDS });
    await mkdir(this.#directory, { recursive: true });
    await writeFile(path, this.#host.kubeconfig(token, podNamespace(this.#pod)), { mode: 0o600 });
    return { KUBECONFIG: path };
  }

  #openLog(container: string, run: number): ContainerLog {
    const log = new ContainerLog(join(this.#directory, 'logs', container, `${run}.log`), this.#host.logBytes);
    const runs = [...(this.#logs.get(container) ?? []), log];
    for (const old of runs.slice(0, -KEPT_RUNS)) old.remove();
    this.#logs.set(container, runs.slice(-KEPT_RUNS));
    return log;
  }

  /** The output of the container's last run, or the one before it. */
  logOf(container: string, previous: boolean): ContainerLog | undefined {
    return this.#logs.get(container)?.at(previous ? -2 : -1);
  }

  #status(): PodStatus {
    const known = this.#pod.status?.conditions ?? [];
    const own = this.#conditions ?? known;
    const foreign = known.filter(({ type }) => !own.some((condition) => condition.type === type));
    const conditions = [...own, ...foreign];
    const status = podStatus({
      pod: { ...this.#pod, status: { ...this.#pod.status, conditions } },
      place: this.#place,
      now: new Date().toISOString(),
      startTime: this.#startTime,
      initContainers: this.#init.map((runner) => runner.view),
      containers: this.#containers.map((runner) => this.#viewOf(runner)),
    });
    this.#conditions = status.conditions;
    return status;
  }

  /** A container that waits for the init containers says so. */
  #viewOf(runner: ContainerRunner): ContainerView {
    const { view } = runner;
    const initializing = this.#init.some((init) => init.view.state.terminated?.exitCode !== 0);
    return initializing ? { ...view, state: { waiting: { reason: 'PodInitializing' } } } : view;
  }

  /** Takes the newest version of the object; one that is being deleted ends. */
  update(pod: Pod): void {
    this.#pod = pod;
    if (pod.metadata.deletionTimestamp === undefined) {
      if ((pod.spec?.readinessGates ?? []).length > 0) this.#writer.changed();
      return;
    }
    void this.end(pod.metadata.deletionGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS, true);
  }

  /**
   * Ends all containers and cleans up. A later call can only shorten the time.
   *
   * @param remove whether the object is still there and to be taken away
   */
  end(graceSeconds: number, remove: boolean): Promise<void> {
    if (!remove) this.#writer.close();
    const stopped = this.#stopContainers(graceSeconds);
    this.#ending ??= this.#finish(stopped, remove);
    return this.#ending;
  }

  async #stopContainers(graceSeconds: number): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#containers, ...this.#init].map((runner) => runner.stop(graceSeconds)));
    await this.#running;
  }

  async #remove(): Promise<void> {
    const { signal, log } = this.#host;
    while (!signal.aborted) {
      try {
        return await this.#host.removePod(this.#pod);
      } catch (error) {
        log.warn({ pod: podName(this.#pod), err: error }, 'pod object not removed yet');
        await sleep(REMOVE_RETRY_MILLISECONDS);
      }
    }
  }

  async #finish(stopped: Promise<void>, remove: boolean): Promise<void> {
    await stopped;
    if (remove) {
      this.#writer.changed();
      await this.#writer.flush();
      await this.#remove();
    }
    this.#writer.close();
    for (const log of [...this.#logs.values()].flat()) log.end();
    await rm(this.#directory, { recursive: true, force: true });
    this.#host.releaseAddress(this.#place.podIP);
  }

  get usesClaim(): (claim: string) => boolean {
    const claims = (this.#pod.spec?.volumes ?? []).map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName);
    return (claim) => claims.includes(claim);
  }

  /** Kills every container, as a crash of the node's memory killer would. */
  crash(): void {
    for (const runner of this.#containers) runner.crash();
  }

  pause(): void {
    for (const runner of this.#containers) runner.pause();
  }

  resume(): void {
    for (const runner of this.#containers) runner.resume();
  }

  /** Kills every container and does `work` before any of them starts again. */
  async crashFor(work: () => Promise<void>): Promise<void> {
    const done = Promise.withResolvers<void>();
    let left = this.#containers.length;
    const last = async (): Promise<void> => {
      left -= 1;
      if (left > 0) return done.promise;
      await work().then(done.resolve, done.reject);
    };
    await Promise.all(this.#containers.map((runner) => runner.crashFor(last)));
  }

  /** Process ids of the containers that run. */
  get pids(): number[] {
    return this.#containers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }
}
