import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContainerLog } from '../../../sandbox/node/container-log.ts';
import { ProcessGroup } from '../../../sandbox/node/process-group.ts';
import type { Watchdog } from '../../../sandbox/node/watchdog.ts';

export type DaemonOptions = {
  readonly name: string;
  readonly file: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Its working directory; the log lies there as `<name>.log`. */
  readonly directory: string;
  /** Ends it when this process dies. */
  readonly watchdog: Watchdog;
};

const LOG_BYTES = 8 * 1024 * 1024;
const LAST_LINES = 8;
const POLL_MILLISECONDS = 50;
const PATIENCE_SECONDS = 60;

/** A program that runs until it is killed, with its output in a file. */
export class Daemon {
  readonly #name: string;
  readonly #group: ProcessGroup;
  readonly #log: ContainerLog;
  #ended = false;

  private constructor(name: string, group: ProcessGroup, log: ContainerLog) {
    this.#name = name;
    this.#group = group;
    this.#log = log;
    void group.exited.then(() => {
      this.#ended = true;
    });
  }

  /** @throws Error when there is no such program */
  static async start({ name, file, directory, watchdog, ...options }: DaemonOptions): Promise<Daemon> {
    const log = new ContainerLog(join(directory, `${name}.log`), LOG_BYTES);
    const started = await ProcessGroup.start(
      {
        file,
        arguments: options.arguments,
        workingDirectory: directory,
        // Nothing of this machine's settings: a proxy, credentials of a cloud.
        environment: { PATH: process.env['PATH'] ?? '', HOME: directory, ...options.environment },
      },
      { watchdog, onLine: (line) => log.append(line, new Date().toISOString()) },
    );
    if (!(started instanceof ProcessGroup)) throw new Error(`${name}: ${started.message}`);
    return new Daemon(name, started, log);
  }

  get pid(): number {
    return this.#group.pid;
  }

  /** @throws Error with the end of its log when it ended meanwhile, or is not ready for a minute */
  async untilReady(isReady: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_SECONDS * 1000;
    while (performance.now() < deadline && !this.#ended) {
      if (await isReady().catch(() => false)) return;
      await sleep(POLL_MILLISECONDS);
    }
    const what = this.#ended ? 'ended' : `was not ready within ${PATIENCE_SECONDS} s`;
    const lines = this.#log.kept().slice(-LAST_LINES);
    throw new Error(`${this.#name} ${what}:\n${lines.map(({ text }) => text).join('\n')}`);
  }

  /** As a crash: nothing is put in order. Resolves when it has ended. */
  async kill(): Promise<void> {
    this.#group.signalAll('SIGKILL');
    await this.#group.exited;
    this.#log.end();
  }
}
