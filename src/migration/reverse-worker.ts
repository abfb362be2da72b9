import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { KubeClient, systemClock } from '../kube/index.ts';
import { closeAll, createLogger, type Logger, startTracing } from '../telemetry/index.ts';
import { KEY_DIRECTORIES } from './config.ts';
import { connectSide } from './connect.ts';
import { CLOSE_PATCH, OPEN_PATCH } from './fence.ts';
import type { ProgressStore } from './keeper.ts';
import { PROGRESS_KEY } from './progress.ts';
import { configMapProgress } from './progress-store.ts';
import type { Projection } from './projection.ts';
import { qdrantSide } from './qdrant-side.ts';
import { runReverse } from './reverse.ts';
import { parseReverseConfig, type ReverseConfig } from './reverse-config.ts';
import { parseReverseProgress, type ReverseProgress } from './reverse-progress.ts';
import { isTransient } from './worker.ts';

export type ReverseWorkerOptions = {
  readonly configFile: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly log?: Logger;
  /** Where the progress is kept; the ConfigMap named in the configuration when not given. */
  readonly store?: ProgressStore<ReverseProgress>;
};

const STOPPED = 143;

/**
 * `worker reverse`: one run of `runReverse`.
 *
 * @returns the exit code: 0 when done, 143 when stopped, else 1
 */
export async function runReverseWorker(options: ReverseWorkerOptions): Promise<number> {
  const { environment, signal } = options;
  const log = options.log ?? createLogger(environment['QDRANT_LIBRARIAN_LOG_LEVEL']);
  const closing: (() => unknown)[] = [await startTracing('qdrant-librarian-worker', environment)];
  const over = new AbortController();
  try {
    const config = parseReverseConfig(await readFile(options.configFile, 'utf8'));
    const store = options.store ?? kubernetesStore(config, log, closing);
    const reading = AbortSignal.any([signal, over.signal]);
    const connect = async (name: keyof typeof KEY_DIRECTORIES) => {
      const client = await connectSide(config[name], environment[KEY_DIRECTORIES[name]], { log, reading });
      closing.push(() => client.close());
      return {
        client,
        collection: config[name].collection,
        writeMilliseconds: (config.leaseSeconds * 1000) / 2,
        signal,
      };
    };
    const source = await connect('source');
    const target = await connect('target');
    await runReverse({
      change: config.change,
      source: qdrantSide(source),
      target: qdrantSide(target),
      gate: {
        open: async () => {
          await target.client.updateCollection(target.collection, OPEN_PATCH);
        },
        close: async () => {
          await target.client.updateCollection(target.collection, CLOSE_PATCH);
        },
      },
      store,
      identity: { id: randomUUID(), pod: environment['POD_NAME'] ?? hostname() },
      settings: {
        lanes: config.lanes,
        pageSize: config.pageSize,
        projection: config.projection as Projection,
        alias: config.alias,
        write: config.write,
        removalPercent: config.removalPercent,
        leaseMilliseconds: config.leaseSeconds * 1000,
      },
      timing: systemClock,
      clock: () => Date.now(),
      log,
      signal,
      isTransient,
    });
    return 0;
  } catch (error) {
    if (signal.aborted) {
      log.info('stopped');
      return STOPPED;
    }
    log.error({ err: error }, 'both sides could not be compared');
    return 1;
  } finally {
    // A page that was read ahead, and that nobody wants any more.
    over.abort(new Error('the run has ended'));
    await closeAll(closing, log);
  }
}

function kubernetesStore(
  config: ReverseConfig,
  log: Logger,
  closing: (() => unknown)[],
): ProgressStore<ReverseProgress> {
  const client = KubeClient.fromDefault({ userAgent: 'qdrant-librarian-worker', log });
  closing.push(() => client.close());
  return reverseStore(client, config.progress);
}

export const reverseStore = (
  client: Parameters<typeof configMapProgress>[0],
  key: ReverseConfig['progress'],
): ProgressStore<ReverseProgress> => configMapProgress(client, key, { key: PROGRESS_KEY, parse: parseReverseProgress });
