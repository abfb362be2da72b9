import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { KubeClient } from '../kube/index.ts';
import { closeAll, createLogger, type Logger, startTracing } from '../telemetry/index.ts';

/** What every worker is started with. */
export type WorkerOptions = {
  readonly configFile: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly log?: Logger;
};

export type WorkerFrame = {
  readonly log: Logger;
  /** Who this process is to others of the same task. */
  readonly identity: { readonly id: string; readonly pod: string };
  /** Takes what is to be closed at the end, the last first. */
  readonly closing: (() => unknown)[];
  /** A client for the worker's own ConfigMap. */
  readonly kube: () => KubeClient;
};

const NAME = 'qdrant-librarian-worker';
const STOPPED = 143;

/**
 * Runs a worker's task between logs, traces and connections that begin and end with it.
 *
 * @param failed what the log says of a task that threw
 * @returns the exit code: 0 when done, 143 when stopped, else 1
 */
export async function inWorkerFrame(
  { environment, signal, ...options }: WorkerOptions,
  failed: string,
  task: (frame: WorkerFrame) => Promise<void>,
): Promise<number> {
  const log = options.log ?? createLogger(environment['QDRANT_LIBRARIAN_LOG_LEVEL']);
  const closing: (() => unknown)[] = [await startTracing(NAME, environment)];
  const kube = (): KubeClient => {
    const client = KubeClient.fromDefault({ userAgent: NAME, log });
    closing.push(() => client.close());
    return client;
  };
  const identity = { id: randomUUID(), pod: environment['POD_NAME'] ?? hostname() };
  try {
    await task({ log, identity, closing, kube });
    return 0;
  } catch (error) {
    if (signal.aborted) {
      log.info('stopped');
      return STOPPED;
    }
    log.error({ err: error }, failed);
    return 1;
  } finally {
    await closeAll(closing, log);
  }
}
