import { readFile } from 'node:fs/promises';
import { systemClock } from '../kube/index.ts';
import { isQdrantError, type QdrantErrorCode } from '../qdrant/index.ts';
import { connectBoth } from './both-sides.ts';
import { parseConfig, type WorkerConfig } from './config.ts';
import { NO_ENGINE, SCROLL_ENGINE } from './copy.ts';
import type { ProgressStore } from './keeper.ts';
import type { Progress } from './progress.ts';
import { COPY_PROGRESS, configMapProgress } from './progress-store.ts';
import { qdrantSide } from './qdrant-side.ts';
import { DamagedSnapshot } from './shard-file.ts';
import { Unsettled } from './shard-run.ts';
import { snapshotBase } from './snapshot-base.ts';
import { type CopySettings, runCopy, Unreadable } from './task.ts';
import { inWorkerFrame, type WorkerOptions } from './worker-frame.ts';

export type CopyWorkerOptions = WorkerOptions & {
  /** Where the progress is kept; the ConfigMap named in the configuration when not given. */
  readonly store?: ProgressStore<Progress>;
};

/** Hashes of so many points are kept after a proof: 16 to 40 bytes each. */
const REMEMBERED_POINTS = 2_000_000;

/**
 * `worker copy`: carries out one copy to its end, see `runCopy`.
 *
 * @returns the exit code: 0 when the switch is over and nothing was left behind, 143 when stopped, else 1
 */
export function runCopyWorker(options: CopyWorkerOptions): Promise<number> {
  const { signal } = options;
  return inWorkerFrame(options, 'copy failed', async (frame) => {
    const { log, identity } = frame;
    const config = parseConfig(await readFile(options.configFile, 'utf8'));
    const store = options.store ?? configMapProgress(frame.kube(), config.progress, COPY_PROGRESS);
    const writeMilliseconds = (config.leaseSeconds * 1000) / 2;
    const { source, target } = await connectBoth(config, options, frame);
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
      identity,
      settings: settingsOf(config),
      timing: systemClock,
      log,
      signal,
      isTransient,
    });
  });
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
