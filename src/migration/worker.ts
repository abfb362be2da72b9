import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { KubeClient, systemClock } from '../kube/index.ts';
import { isQdrantError, type QdrantErrorCode } from '../qdrant/index.ts';
import { closeAll, createLogger, type Logger, startTracing } from '../telemetry/index.ts';
import { KEY_DIRECTORIES, parseConfig, type WorkerConfig } from './config.ts';
import { connectSide } from './connect.ts';
import { NO_ENGINE, SCROLL_ENGINE } from './copy.ts';
import type { ProgressStore } from './keeper.ts';
import type { Progress } from './progress.ts';
import { COPY_PROGRESS, configMapProgress } from './progress-store.ts';
import { qdrantSide } from './qdrant-side.ts';
import { DamagedSnapshot } from './shard-file.ts';
import { Unsettled } from './shard-run.ts';
import { snapshotBase } from './snapshot-base.ts';
import { type CopySettings, runCopy, Unreadable } from './task.ts';

export type CopyWorkerOptions = {
  readonly configFile: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly log?: Logger;
  /** Where the progress is kept; the ConfigMap named in the configuration when not given. */
  readonly store?: ProgressStore<Progress>;
};

/** Hashes of so many points are kept after a proof: 16 to 40 bytes each. */
const REMEMBERED_POINTS = 2_000_000;
const STOPPED = 143;

/**
 * `worker copy`: carries out one copy to its end, see `runCopy`.
 *
 * @returns the exit code: 0 when the switch is over and nothing was left behind, 143 when stopped, else 1
 */
export async function runCopyWorker(options: CopyWorkerOptions): Promise<number> {
  const { environment, signal } = options;
  const log = options.log ?? createLogger(environment['QDRANT_LIBRARIAN_LOG_LEVEL']);
  const closing = [await startTracing('qdrant-librarian-worker', environment)];
  const over = new AbortController();
  try {
    const config = parseConfig(await readFile(options.configFile, 'utf8'));
    const store = options.store ?? kubernetesStore(config, log, closing);
    const writeMilliseconds = (config.leaseSeconds * 1000) / 2;
    const reading = AbortSignal.any([signal, over.signal]);
    const connect = async (name: keyof typeof KEY_DIRECTORIES) => {
      const side = config[name];
      const client = await connectSide(side, environment[KEY_DIRECTORIES[name]], { log, reading });
      closing.push(() => client.close());
      return { client, collection: side.collection };
    };
    const source = await connect('source');
    const target = await connect('target');
    const { change, engine, again } = config;
    await runCopy({
      change,
      source: qdrantSide({ ...source, writeMilliseconds }),
      target: qdrantSide({ ...target, writeMilliseconds }),
      engine: again === true ? NO_ENGINE : SCROLL_ENGINE,
      // A target that was filled before takes nothing blindly.
      snapshots:
        engine === undefined || again === true ? undefined : snapshotBase({ source, target, change, ...engine }),
      store,
      identity: { id: randomUUID(), pod: environment['POD_NAME'] ?? hostname() },
      settings: settingsOf(config),
      timing: systemClock,
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
    log.error({ err: error }, 'copy failed');
    return 1;
  } finally {
    // A page that was read ahead, and that nobody wants any more.
    over.abort(new Error('the copy has ended'));
    await closeAll(closing, log);
  }
}

function kubernetesStore(config: WorkerConfig, log: Logger, closing: (() => Promise<void>)[]): ProgressStore<Progress> {
  const client = KubeClient.fromDefault({ userAgent: 'qdrant-librarian-worker', log });
  closing.push(() => client.close());
  return configMapProgress(client, config.progress, COPY_PROGRESS);
}

const settingsOf = (config: WorkerConfig): CopySettings => ({
  lanes: config.lanes,
  pageSize: config.pageSize,
  listSize: config.listSize,
  projection: config.projection as CopySettings['projection'],
  alias: config.alias,
  settleMilliseconds: 1000,
  blindSettleMilliseconds: 2000,
  pollMilliseconds: 200,
  drainMilliseconds: 8000,
  minPauseMilliseconds: 500,
  maxPauseMilliseconds: 30_000,
  verify: config.verify,
  maxFreezeMilliseconds: config.maxFreezeSeconds * 1000,
  leaseMilliseconds: config.leaseSeconds * 1000,
  rememberPoints: REMEMBERED_POINTS,
});

/** What a changed request, key or right must cure is not repeated here: the Job is, with what is mounted then. */
const LASTING: ReadonlySet<QdrantErrorCode> = new Set<QdrantErrorCode>([
  'BadRequest',
  'Unauthorized',
  'Forbidden',
  'NotFound',
]);

export function isTransient(error: unknown): boolean {
  if (error instanceof Unreadable || error instanceof Unsettled || error instanceof DamagedSnapshot) return true;
  return isQdrantError(error) && !LASTING.has(error.code);
}
