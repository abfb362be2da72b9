import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exit, exitOf } from './exit.ts';
import type { ProcessSpecification } from './process-specification.ts';
import type { Watchdog } from './watchdog.ts';

export type SpawnOptions = { readonly watchdog: Watchdog; readonly onLine: (line: string) => void };

/** A descendant that left the group may hold the output open for ever. */
const DRAIN_MILLISECONDS = 500;

/** How a start failed, as the kubelet shows it. */
export type StartFailure = { readonly message: string };

/** A process that leads its own group: the nearest thing to a container that needs no privilege. */
export class ProcessGroup {
  /** Resolves when the leader has ended and nothing of its group is left, as it is when a container's first process ends. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #pid: number;
  #ended = false;

  private constructor(child: ChildProcess, pid: number, watchdog: Watchdog) {
    this.#child = child;
    this.#pid = pid;
    watchdog.add(pid);
    const drained = new Promise<void>((resolve) => child.once('close', () => resolve()));
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#signalGroup('SIGKILL');
        this.#ended = true;
        watchdog.remove(pid);
        const patience = sleep(DRAIN_MILLISECONDS, undefined, { ref: false });
        void Promise.race([drained, patience]).then(() => resolve(exitOf(code, signal)));
      });
    });
  }

  /** @returns a StartFailure when there is no such executable or directory */
  static async start(
    specification: ProcessSpecification,
    { watchdog, onLine }: SpawnOptions,
  ): Promise<ProcessGroup | StartFailure> {
    const { file, workingDirectory, environment } = specification;
    const child = spawn(file, [...specification.arguments], {
      cwd: workingDirectory,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { pid } = child;
    if (pid === undefined) {
      const error = await new Promise<Error>((resolve) => child.once('error', resolve));
      return { message: `can't start ${JSON.stringify(file)}: ${error.message}` };
    }
    const group = new ProcessGroup(child, pid, watchdog);
    child.on('error', () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', onLine);
    }
    return group;
  }

  get pid(): number {
    return this.#pid;
  }

  /** To the leader alone, as a container runtime signals the first process. */
  signal(name: NodeJS.Signals): void {
    if (!this.#ended) this.#child.kill(name);
  }

  /** To every process of the group: SIGKILL, SIGSTOP, SIGCONT. */
  signalAll(name: NodeJS.Signals): void {
    if (!this.#ended) this.#signalGroup(name);
  }

  #signalGroup(name: NodeJS.Signals): void {
    try {
      process.kill(-this.#pid, name);
    } catch {
      // ESRCH: nobody of the group is left.
    }
  }
}
