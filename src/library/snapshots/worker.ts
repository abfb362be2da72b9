import { readFile } from 'node:fs/promises';
import { systemClock } from '../../kube/index.ts';
import {
  configMapProgress,
  connectSide,
  inWorkerFrame,
  type ProgressStore,
  readKey,
  type WorkerOptions,
} from '../../migration/index.ts';
import { failureOf, inKeptTask } from '../kept-task.ts';
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

export type SnapshotWorkerOptions = WorkerOptions & {
  /** Where the progress is kept; the ConfigMap named in the configuration when not given. */
  readonly store?: ProgressStore<TaskProgress>;
};

const ID_LENGTH = 8;

/**
 * `worker snapshot` and `worker restore`: carries out what the configuration says, to its end.
 *
 * @returns the exit code: 0 when done, 143 when stopped, else 1
 */
export function runSnapshotWorker(options: SnapshotWorkerOptions): Promise<number> {
  const { environment, signal } = options;
  return inWorkerFrame(options, 'task failed', async ({ log, closing, kube, identity: { id: whole, pod } }) => {
    const config = parseTaskConfig(await readFile(options.configFile, 'utf8'));
    const store = options.store ?? taskStore(kube(), config.progress);
    const id = whole.slice(0, ID_LENGTH);
    const kept = { config, store, identity: { id, pod }, signal, log, fresh: freshProgress, failureOf: failed };
    await inKeptTask(kept, async (keeper) => {
      const client = await connectSide(config.side, environment[CLUSTER_KEYS], { log });
      closing.push(() => client.close());
      const bucket = await bucketOf(config, environment);
      closing.push(() => bucket?.close());
      const lost = AbortSignal.any([signal, keeper.lost]);
      const sleep: Working['sleep'] = (milliseconds, stop) => systemClock.sleep(milliseconds, stop);
      await carryOut(config, { client, keeper, signal: lost, log, now: Date.now, sleep, id }, bucket);
    });
  });
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

const failed = (error: unknown): NonNullable<TaskProgress['failure']> => ({
  ...failureOf(error),
  ...(error instanceof TaskFailure ? { reason: error.reason, lasting: error.lasting } : { lasting: false }),
});
