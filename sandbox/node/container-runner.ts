import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BackoffState, nextRestart, RESTED, type RestartBackoff, restarts } from './backoff.ts';
import type { ContainerEvent } from './container-event.ts';
import type { ContainerLog } from './container-log.ts';
import { runProbes } from './container-probes.ts';
import type { ContainerView } from './pod-status.ts';
import { check, type ProbeTarget } from './probe-check.ts';
import { isReady, isStarted, type ProbeVerdicts } from './probe-state.ts';
import { ProcessGroup } from './process-group.ts';
import type { ProcessSpecification } from './process-specification.ts';
import type { Watchdog } from './watchdog.ts';
import type { Container, ContainerState } from './wire.ts';

/** What to run, or why it can't be made yet (`CreateContainerConfigError`, `ErrImagePull`). */
export type Launch =
  | { readonly ok: true; readonly specification: ProcessSpecification }
  | { readonly ok: false; readonly reason: string; readonly message: string };

export type ContainerOptions = {
  readonly container: Container;
  readonly podIP: string;
  readonly restartPolicy: string | undefined;
  readonly graceSeconds: number;
  readonly backoff: RestartBackoff;
  readonly watchdog: Watchdog;
  readonly restartCount: number;
  /** Computes the process anew for every start: what the environment refers to may have changed. */
  readonly launch: () => Promise<Launch>;
  /** The log of the run with this number. */
  readonly openLog: (run: number) => ContainerLog;
  readonly onChange: () => void;
  readonly onEvent: (event: ContainerEvent) => void;
};

/** How often a start that couldn't be prepared is tried again. */
const PREPARE_MILLISECONDS = 500;
/** What a hook that used up the grace period leaves. Source: kubelet `minimumGracePeriodInSeconds`. */
const SECONDS_AFTER_HOOK = 2;

/** Source: Kubernetes `FallbackToLogsOnError`. */
const MESSAGE_LINES = 80;
const MESSAGE_BYTES = 2048;

/** The end of the log of a container that failed; undefined where there is none. */
function lastWords({ exitCode }: { readonly exitCode: number }, log: ContainerLog): string | undefined {
  if (exitCode === 0) return undefined;
  const lines = log.kept().slice(-MESSAGE_LINES);
  const text = Buffer.from(lines.map((line) => `${line.text}\n`).join(''));
  return text.length === 0 ? undefined : text.subarray(-MESSAGE_BYTES).toString();
}

const UNPROBED = { probed: false, verdict: undefined };

/** One container: started, probed, restarted by policy, and ended. */
export class ContainerRunner {
  readonly #options: ContainerOptions;
  readonly #stopping = new AbortController();
  #state: ContainerState = { waiting: { reason: 'ContainerCreating' } };
  #lastState: ContainerState | undefined;
  #restartCount: number;
  #verdicts: ProbeVerdicts = { running: false, startup: UNPROBED, readiness: UNPROBED };
  #process: ProcessGroup | undefined;
  #specification: ProcessSpecification | undefined;
  #containerID = '';
  #backoff: BackoffState = RESTED;
  #hold: Promise<void> | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  #killAt = 0;
  #log: ContainerLog | undefined;

  constructor(options: ContainerOptions) {
    this.#options = options;
    this.#restartCount = options.restartCount;
  }

  get view(): ContainerView {
    const { name, image = '' } = this.#options.container;
    return {
      name,
      image,
      containerID: this.#containerID,
      state: this.#state,
      lastState: this.#lastState,
      restartCount: this.#restartCount,
      started: isStarted(this.#verdicts),
      ready: isReady(this.#verdicts),
    };
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Runs until the container has ended for good: by its restart policy, or because it was told to. */
  async run(): Promise<void> {
    const stop = this.#stopping.signal;
    try {
      while (!stop.aborted) {
        const startedAt = Date.now();
        const exitCode = await this.#runOnce();
        if (exitCode === undefined) continue;
        if (stop.aborted || !restarts(this.#options.restartPolicy, exitCode)) return;
        await this.#rest(Date.now() - startedAt);
        await this.#hold;
        if (stop.aborted) return;
        this.#lastState = this.#state.terminated === undefined ? this.#lastState : this.#state;
        this.#restartCount += 1;
      }
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  /** @returns the exit code; undefined when there was no start and it should be tried again */
  async #runOnce(): Promise<number | undefined> {
    const launch = await this.#options.launch();
    if (this.#stopping.signal.aborted) return 0;
    if (!launch.ok) {
      this.#wait(launch.reason, launch.message);
      this.#options.onEvent({ type: 'Warning', reason: 'Failed', message: launch.message });
      await sleep(PREPARE_MILLISECONDS, undefined, { signal: this.#stopping.signal });
      return undefined;
    }
    await this.#hold;
    const log = this.#options.openLog(this.#restartCount);
    this.#log = log;
    const started = await ProcessGroup.start(launch.specification, {
      watchdog: this.#options.watchdog,
      onLine: (line) => log.append(line, new Date().toISOString()),
    });
    const startedAt = new Date().toISOString();
    this.#containerID = `process://${randomUUID()}`;
    if (!(started instanceof ProcessGroup)) {
      log.end();
      this.#options.onEvent({ type: 'Warning', reason: 'Failed', message: started.message });
      return this.#ended({ exitCode: 128, startedAt, message: started.message, reason: 'StartError' });
    }
    this.#specification = launch.specification;
    return this.#supervise(started, startedAt, log);
  }

  async #supervise(group: ProcessGroup, startedAt: string, log: ContainerLog): Promise<number> {
    const { container, onEvent } = this.#options;
    this.#process = group;
    this.#state = { running: { startedAt } };
    this.#verdicts = {
      running: true,
      startup: { probed: container.startupProbe !== undefined, verdict: undefined },
      readiness: { probed: container.readinessProbe !== undefined, verdict: undefined },
    };
    onEvent({ type: 'Normal', reason: 'Started', message: `Started container ${container.name}` });
    this.#options.onChange();
    const over = new AbortController();
    const probing = this.#probe(AbortSignal.any([over.signal, this.#stopping.signal]));
    // A stop that came while the process was being started found nothing to signal.
    if (this.#stopping.signal.aborted) group.signal('SIGTERM');
    const exit = await group.exited;
    clearTimeout(this.#killTimer);
    over.abort();
    await probing;
    log.end();
    this.#process = undefined;
    const message = container.terminationMessagePolicy === 'FallbackToLogsOnError' ? lastWords(exit, log) : undefined;
    const reason = exit.exitCode === 0 ? 'Completed' : 'Error';
    return this.#ended({ ...exit, startedAt, reason, ...(message === undefined ? {} : { message }) });
  }

  #ended(end: { exitCode: number; signal?: number; startedAt: string; message?: string; reason: string }): number {
    const { exitCode, signal, startedAt, message, reason } = end;
    const details = { ...(signal === undefined ? {} : { signal }), ...(message === undefined ? {} : { message }) };
    const times = { startedAt, finishedAt: new Date().toISOString() };
    const terminated = { exitCode, reason, ...details, ...times, containerID: this.#containerID };
    this.#state = { terminated };
    this.#verdicts = { running: false, startup: UNPROBED, readiness: UNPROBED };
    this.#options.onChange();
    return exitCode;
  }

  #wait(reason: string, message: string): void {
    this.#state = { waiting: { reason, message } };
    this.#options.onChange();
  }

  /** The pause before a restart; in it the container waits, and its end is its last state. */
  async #rest(ranMilliseconds: number): Promise<void> {
    const { delayMilliseconds, state } = nextRestart(this.#backoff, ranMilliseconds, this.#options.backoff);
    this.#backoff = state;
    if (delayMilliseconds === 0) return;
    this.#lastState = this.#state;
    const message = `back-off ${delayMilliseconds}ms restarting failed container=${this.#options.container.name}`;
    this.#wait('CrashLoopBackOff', message);
    this.#options.onEvent({ type: 'Warning', reason: 'BackOff', message });
    await sleep(delayMilliseconds, undefined, { signal: this.#stopping.signal });
  }

  async #probe(signal: AbortSignal): Promise<void> {
    await runProbes({
      target: this.#target(),
      signal,
      onEvent: this.#options.onEvent,
      onVerdict: (change) => {
        this.#verdicts = { ...this.#verdicts, ...change };
        this.#options.onChange();
      },
      onFailed: (graceSeconds) => void this.#shutDown(graceSeconds ?? this.#options.graceSeconds),
    });
  }

  #target(): ProbeTarget {
    const { container, podIP } = this.#options;
    return { container, podIP, execute: (command, signal) => this.execute(command, signal) };
  }

  /** Runs a command beside the container's process, in its environment; gives the exit code. */
  async execute(command: readonly string[], signal: AbortSignal): Promise<number> {
    const [file = '', ...rest] = command;
    if (this.#specification === undefined) throw new Error('the container has not been started');
    const specification = { ...this.#specification, file, arguments: rest };
    const onLine = (): void => undefined;
    const started = await ProcessGroup.start(specification, { watchdog: this.#options.watchdog, onLine });
    if (!(started instanceof ProcessGroup)) throw new Error(started.message);
    const kill = (): void => started.signalAll('SIGKILL');
    if (signal.aborted) kill();
    signal.addEventListener('abort', kill);
    const { exitCode } = await started.exited;
    signal.removeEventListener('abort', kill);
    return exitCode;
  }

  /** SIGKILL, as a crash: the restart policy decides what follows. */
  crash(): void {
    this.#process?.signalAll('SIGKILL');
  }

  /** Stops the process where it stands, without its knowledge. */
  pause(): void {
    this.#process?.signalAll('SIGSTOP');
  }

  resume(): void {
    this.#process?.signalAll('SIGCONT');
  }

  /** Kills the process and starts it again only after `work` is done. */
  async crashFor(work: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hold = promise;
    const group = this.#process;
    try {
      group?.signalAll('SIGKILL');
      await group?.exited;
      await work();
    } finally {
      this.#hold = undefined;
      resolve();
    }
  }

  /**
   * Ends the container for good: hook, SIGTERM, and SIGKILL when `graceSeconds` are over.
   * A second call can only shorten the time that is left.
   */
  async stop(graceSeconds: number): Promise<void> {
    const again = this.#stopping.signal.aborted;
    this.#stopping.abort();
    if (again) this.#killIn(Math.min(graceSeconds, (this.#killAt - Date.now()) / 1000));
    else await this.#shutDown(graceSeconds);
  }

  async #shutDown(graceSeconds: number): Promise<void> {
    const group = this.#process;
    if (group === undefined) return;
    const hook = this.#options.container.lifecycle?.preStop;
    this.#killIn(graceSeconds);
    if (hook !== undefined && graceSeconds > 0) {
      if (hook.sleep !== undefined) await Promise.race([sleep(hook.sleep.seconds * 1000), group.exited]);
      else await check(hook, this.#target(), graceSeconds);
      const left = (this.#killAt - Date.now()) / 1000;
      if (left > 0) this.#killIn(Math.max(left, SECONDS_AFTER_HOOK));
    }
    group.signal('SIGTERM');
    await group.exited;
  }

  #killIn(graceSeconds: number): void {
    const group = this.#process;
    clearTimeout(this.#killTimer);
    this.#killAt = Date.now() + graceSeconds * 1000;
    if (group === undefined) return;
    if (graceSeconds <= 0) group.signalAll('SIGKILL');
    else this.#killTimer = setTimeout(() => group.signalAll('SIGKILL'), graceSeconds * 1000);
  }

  get log(): ContainerLog | undefined {
    return this.#log;
  }
}
