import { readFile } from 'node:fs/promises';
import {
  configMapProgress,
  connectSide,
  inWorkerFrame,
  type Keeper,
  type ProgressStore,
  type WorkerFrame,
  type WorkerOptions,
} from '../../migration/index.ts';
import { failureOf, inKeptTask } from '../kept-task.ts';
import { CLUSTER_KEYS } from '../snapshots/task-config.ts';
import { type DiscoveryConfig, parseDiscoveryConfig } from './config.ts';
import { type Discovery, discover } from './discover.ts';
import { DISCOVERY_KEYS, type DiscoveryProgress, freshProgress, parseDiscoveryProgress } from './progress.ts';
import { markdownOf } from './report.ts';

type Told = () => Readonly<Record<string, string>>;

export type DiscoveryWorkerOptions = WorkerOptions & {
  /** Where progress and report are kept; the ConfigMap named in the configuration when not given. */
  readonly store?: (report: Told) => ProgressStore<DiscoveryProgress>;
};

/**
 * `worker discover`: looks for domains in one collection, and writes the report beside its progress.
 *
 * @returns the exit code: 0 when done, 143 when stopped, else 1
 */
export function runDiscoveryWorker(options: DiscoveryWorkerOptions): Promise<number> {
  const { environment, signal } = options;
  return inWorkerFrame(options, 'discovery failed', async ({ log, identity, closing, kube }) => {
    const config = parseDiscoveryConfig(await readFile(options.configFile, 'utf8'));
    let done: Discovery | undefined;
    const more: Told = () => (done === undefined ? {} : textsOf(done));
    const store = options.store?.(more) ?? discoveryStore(kube(), config.progress, more);
    await inKeptTask({ config, store, identity, signal, log, fresh: freshProgress, failureOf }, async (keeper) => {
      if (keeper.progress.phase === 'Done') return;
      done = await carryOut(config, { keeper, environment, signal, log, closing });
      keeper.update({ result: done.result, phase: 'Done', step: undefined, failure: undefined });
      await keeper.save();
      log.info({ outcome: done.result.outcome, sampled: done.result.sampled }, 'discovery is done');
    });
  });
}

type Running = Pick<WorkerOptions, 'environment' | 'signal'> &
  Pick<WorkerFrame, 'log' | 'closing'> & { readonly keeper: Keeper<DiscoveryProgress> };

async function carryOut(config: DiscoveryConfig, running: Running): Promise<Discovery> {
  const { keeper, environment, log, closing } = running;
  const client = await connectSide(config.side, environment[CLUSTER_KEYS], { log });
  closing.push(() => client.close());
  return discover({
    config,
    client,
    signal: AbortSignal.any([running.signal, keeper.lost]),
    tell: async (step) => {
      if (keeper.progress.step !== step) keeper.update({ step });
      await keeper.mayWrite();
    },
  });
}

/** Replaces the report of an earlier discovery, too. */
const textsOf = ({ report, result }: Discovery) => ({
  [DISCOVERY_KEYS.report]: `${JSON.stringify(report ?? { version: 1, ...result }, undefined, 2)}\n`,
  [DISCOVERY_KEYS.text]: report === undefined ? `${result.message}\n` : markdownOf(report),
});

export const discoveryStore = (
  client: Parameters<typeof configMapProgress>[0],
  key: DiscoveryConfig['progress'],
  more: Told,
): ProgressStore<DiscoveryProgress> =>
  configMapProgress(client, key, { key: DISCOVERY_KEYS.progress, parse: parseDiscoveryProgress, more });
