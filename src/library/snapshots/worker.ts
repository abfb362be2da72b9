import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { KubeClient, systemClock } from '../../kube/index.ts';
import { configMapProgress, connectSide, Keeper, type ProgressStore, readKey } from '../../migration/index.ts';
import { isQdrantError } from '../../qdrant/index.ts';
import { closeAll, createLogger, type Logger, startTracing } from '../../telemetry/index.ts';
import { type Bucket, openBucket } from './bucket.ts';
import { TaskFailure } from './failure.ts';
import { makeSnapshot, type Working } from './make.ts';
import { restoreSnapshot } from './restore.ts';
import {
  ACCESS_KEY_FILE,
  BUCKET_KEYS,
  CLUSTER_KEYS,
  parseTaskConfig,
  SECRET_KEY_FILE,
  type TaskConfig,
} from './task-config.ts';
import { freshProgress, parseTaskProgress, TASK_PROGRESS_KEY, type TaskProgress } from './task-progress.ts';
import { tidy } from './tidy.ts';

export type SnapshotWorkerOptions = {
  readonly configFile: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly log?: Logger;
  /** Where the progress is kept; the ConfigMap named in the configuration when not given. */
  readonly store?: ProgressStore<TaskProgress>;
};

const STOPPED = 143;
const ID_LENGTH = 8;

/**
 * `worker snapshot` and `worker restore`: carries out what the configuration says, to its end.
 *
 * @returns the exit code: 0 when done, 143 when stopped, else 1
 */
export async function runSnapshotWorker(options: SnapshotWorkerOptions): Promise<number> {
  const { environment, signal } = options;
  const log = options.log ?? createLogger(environment['QDRANT_LIBRARIAN_LOG_LEVEL']);
  const closing: (() => unknown)[] = [await startTracing('qdrant-librarian-worker', environment)];
  let keeper: Keeper<TaskProgress> | undefined;
  try {
    const config = parseTaskConfig(await readFile(options.configFile, 'utf8'));
    const store = options.store ?? kubernetesStore(config, log, closing);
    const id = randomUUID().slice(0, ID_LENGTH);
    keeper = await Keeper.takeOver<TaskProgress>({
      store,
      begin: (found, holder) =>
        found?.change === config.change ? { ...found, holder } : freshProgress(config.change, holder),
      identity: { id, pod: environment['POD_NAME'] ?? hostname() },
      timing: systemClock,
      log,
      signal,
      leaseMilliseconds: config.leaseSeconds * 1000,
    });
    const client = await connectSide(config.side, environment[CLUSTER_KEYS], { log });
    closing.push(() => client.close());
    const bucket = await bucketOf(config, environment);
    closing.push(() => bucket?.close());
    const lost = AbortSignal.any([signal, keeper.lost]);
    const sleep: Working['sleep'] = (milliseconds, stop) => systemClock.sleep(milliseconds, stop);
    await carryOut(config, { client, keeper, signal: lost, log, now: Date.now, sleep, id }, bucket);
    return 0;
  } catch (error) {
    if (signal.aborted) {
      log.info('stopped');
      return STOPPED;
    }
    log.error({ err: error }, 'task failed');
    await tellFailure(keeper, error, log);
    return 1;
  } finally {
    await keeper?.release().catch((error: unknown) => log.warn({ err: error }, 'progress can not be released'));
    await closeAll(closing, log);
  }
}

async function carryOut(config: TaskConfig, working: Working, bucket: Bucket | undefined): Promise<void> {
  const { keeper } = working;
  if (keeper.progress.phase === 'Done') return;
  keeper.update({ failure: undefined });
  await keeper.save();
  if (config.task === 'restore') {
    const restored = await restoreSnapshot({ ...working, config, bucket });
    keeper.update({ restored, phase: 'Done', step: undefined });
  } else {
    const { make } = config;
    if (make !== undefined && keeper.progress.manifest === undefined) {
      const manifest = await makeSnapshot({ ...working, config: { ...config, make }, bucket });
      keeper.update({ manifest, asked: undefined, step: 'drops what is not kept' });
      await keeper.save();
    }
    await tidy({ ...working, config, bucket });
    keeper.update({ phase: 'Done', step: undefined });
  }
  await keeper.save();
}

function kubernetesStore(config: TaskConfig, log: Logger, closing: (() => unknown)[]): ProgressStore<TaskProgress> {
  const client = KubeClient.fromDefault({ userAgent: 'qdrant-librarian-worker', log });
  closing.push(() => client.close());
  return taskStore(client, config.progress);
}

export const taskStore = (
  client: Parameters<typeof configMapProgress>[0],
  key: TaskConfig['progress'],
): ProgressStore<TaskProgress> => configMapProgress(client, key, { key: TASK_PROGRESS_KEY, parse: parseTaskProgress });

async function bucketOf({ bucket }: TaskConfig, environment: NodeJS.ProcessEnv): Promise<Bucket | undefined> {
  if (bucket === undefined) return undefined;
  if (!bucket.credentials) return openBucket(bucket, undefined);
  const directory = environment[BUCKET_KEYS];
  const accessKeyId = (await readKey(directory, ACCESS_KEY_FILE)).trim();
  const secretAccessKey = (await readKey(directory, SECRET_KEY_FILE)).trim();
  return openBucket(bucket, { accessKeyId, secretAccessKey });
}

async function tellFailure(keeper: Keeper<TaskProgress> | undefined, error: unknown, log: Logger): Promise<void> {
  if (keeper === undefined || keeper.lost.aborted) return;
  const known = error instanceof TaskFailure ? error : undefined;
  const reason = known?.reason ?? reasonOf(error);
  const message = (error instanceof Error ? error.message : 'unknown failure').slice(0, 1024);
  keeper.update({ failure: { reason, message, lasting: known?.lasting === true } });
  await keeper.save().catch((failure: unknown) => log.warn({ err: failure }, 'progress can not be saved'));
}

function reasonOf(error: unknown): string {
  if (!isQdrantError(error)) return 'TaskFailed';
  if (error.code === 'Unauthorized' || error.code === 'Forbidden') return 'Unauthorized';
  return error.status === 0 ? 'Unreachable' : 'QdrantFailed';
}
