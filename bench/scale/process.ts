import { ProcessGroup } from '../../sandbox/node/process-group.ts';
import type { Watchdog } from '../../sandbox/node/watchdog.ts';

export type StartOptions = {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly watchdog: Watchdog;
  readonly onLine?: (line: string) => void;
};

const STOP_MILLISECONDS = 10_000;
const KEPT_LINES = 20;

/** A Node process that dies with this one, however this one ends. */
export class NodeProcess {
  readonly #group: ProcessGroup;
  readonly #lines: string[];
  /** Set once it has ended. */
  #exitCode: number | undefined;

  private constructor(group: ProcessGroup, lines: string[]) {
    this.#group = group;
    this.#lines = lines;
    void group.exited.then(({ exitCode }) => {
      this.#exitCode = exitCode;
    });
  }

  /** @throws Error when it could not be started */
  static async start(options: StartOptions): Promise<NodeProcess> {
    const lines: string[] = [];
    const started = await ProcessGroup.start(
      {
        file: process.execPath,
        arguments: options.arguments,
        workingDirectory: process.cwd(),
        environment: { PATH: process.env['PATH'] ?? '', ...options.environment },
      },
      {
        watchdog: options.watchdog,
        onLine: (line) => {
          lines.push(line);
          if (lines.length > KEPT_LINES) lines.shift();
          options.onLine?.(line);
        },
      },
    );
    if (!(started instanceof ProcessGroup)) throw new Error(started.message);
    return new NodeProcess(started, lines);
  }

  get pid(): number {
    return this.#group.pid;
  }

  /** Resolves when it has ended. */
  get exited(): Promise<unknown> {
    return this.#group.exited;
  }

  /** @throws Error with its last words when it has ended */
  assertRunning(): void {
    if (this.#exitCode === undefined) return;
    throw new Error(`a process ended with exit code ${this.#exitCode}:\n${this.#lines.join('\n')}`);
  }

  /** Asks it to end, and ends it when it doesn't within ten seconds. */
  async stop(): Promise<void> {
    this.#group.signal('SIGTERM');
    const killing = setTimeout(() => this.#group.signalAll('SIGKILL'), STOP_MILLISECONDS);
    await this.#group.exited;
    clearTimeout(killing);
  }
}
