import { readFile } from 'node:fs/promises';
import { systemClock } from '../kube/index.ts';
import { connectBoth } from './both-sides.ts';
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
import { inWorkerFrame, type WorkerOptions } from './worker-frame.ts';

export type ReverseWorkerOptions = WorkerOptions & {
  /** Where the progress is kept; the ConfigMap named in the configuration when not given. */
  readonly store?: ProgressStore<ReverseProgress>;
};

/**
 * `worker reverse`: one run of `runReverse`.
 *
 * @returns the exit code: 0 when done, 143 when stopped, else 1
 */
export function runReverseWorker(options: ReverseWorkerOptions): Promise<number> {
  const { signal } = options;
  return inWorkerFrame(options, 'both sides could not be compared', async (frame) => {
    const { log, identity } = frame;
    const config = parseReverseConfig(await readFile(options.configFile, 'utf8'));
    const store = options.store ?? reverseStore(frame.kube(), config.progress);
    const leaseMilliseconds = config.leaseSeconds * 1000;
    const { source, target } = await connectBoth(config, options, frame);
    const writing = { writeMilliseconds: leaseMilliseconds / 2, signal };
    await runReverse({
      change: config.change,
      source: qdrantSide({ ...source, ...writing }),
      target: qdrantSide({ ...target, ...writing }),
      gate: {
        open: async () => {
          await target.client.updateCollection(target.collection, OPEN_PATCH);
        },
        close: async () => {
          await target.client.updateCollection(target.collection, CLOSE_PATCH);
        },
      },
      store,
      identity,
      settings: {
        lanes: config.lanes,
        pageSize: config.pageSize,
        projection: config.projection as Projection,
        alias: config.alias,
        write: config.write,
        removalPercent: config.removalPercent,
        leaseMilliseconds,
      },
      timing: systemClock,
      clock: () => Date.now(),
      log,
      signal,
      isTransient,
    });
  });
}

export const reverseStore = (
  client: Parameters<typeof configMapProgress>[0],
  key: ReverseConfig['progress'],
): ProgressStore<ReverseProgress> => configMapProgress(client, key, { key: PROGRESS_KEY, parse: parseReverseProgress });
