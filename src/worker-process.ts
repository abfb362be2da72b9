import { createLogger } from './telemetry/index.ts';

export type WorkerOptions = {
  readonly configFile: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
};

export type WorkerPatience = {
  /** Milliseconds to end by itself after SIGTERM. */
  readonly stop: number;
  /** Milliseconds to close what is still open after the work is done. */
  readonly linger: number;
};

/** A third of what its pod gets until SIGKILL. */
const PATIENCE: WorkerPatience = { stop: 10_000, linger: 1000 };
const STOPPED = 143;

/**
 * Runs one worker as this process. The process ends with the work, or soon after it was told to stop, whatever is still
 * open: until its pod is gone, nothing that waits for the worker goes on.
 */
export async function runWorkerProcess(
  load: () => Promise<(options: WorkerOptions) => Promise<number>>,
  options: WorkerOptions,
  patience = PATIENCE,
): Promise<void> {
  const { signal, environment } = options;
  const endIn = (milliseconds: number, code: number): void => {
    // Holds nothing up: where nothing else is open the process has ended before.
    setTimeout(() => {
      const open = process.getActiveResourcesInfo();
      createLogger(environment['QDRANT_LIBRARIAN_LOG_LEVEL']).warn({ open }, 'ends although something is still open');
      process.exit(code);
    }, milliseconds).unref();
  };
  signal.addEventListener('abort', () => endIn(patience.stop, STOPPED), { once: true });
  const run = await load();
  const code = await run(options);
  process.exitCode = code;
  endIn(patience.linger, code);
}
