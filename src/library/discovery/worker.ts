import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { KubeClient, systemClock } from '../../kube/index.ts';
import { configMapProgress, connectSide, Keeper, type ProgressStore } from '../../migration/index.ts';
import { isQdrantError } from '../../qdrant/index.ts';
import { closeAll, createLogger, type Logger, startTracing } from '../../telemetry/index.ts';
import { CLUSTER_KEYS } from '../snapshots/task-config.ts';
import { type DiscoveryConfig, parseDiscoveryConfig } from './config.ts';
import { type Discovery, discover } from './discover.ts';
import { DISCOVERY_KEYS, type DiscoveryProgress, freshProgress, parseDiscoveryProgress } from './progress.ts';
import { markdownOf } from './report.ts';

export type DiscoveryWorkerOptions = {
  readonly configFile: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly log?: Logger;
  /** Where progress and report are kept; the ConfigMap named in the configuration when not given. */
  readonly store?: (report: () => Readonly<Record<string, string>>) => ProgressStore<DiscoveryProgress>;
};

const STOPPED = 143;

/**
 * `worker discover`: looks for domains in one collection, and writes the report beside its progress.
 *
 * @returns the exit code: 0 when done, 143 when stopped, else 1
 */
export async function runDiscoveryWorker(options: DiscoveryWorkerOptions): Promise<number> {
  const { environment, signal } = options;
  const log = options.log ?? createLogger(environment['QDRANT_LIBRARIAN_LOG_LEVEL']);
  const closing: (() => unknown)[] = [await startTracing('qdrant-librarian-worker', environment)];
  let keeper: Keeper<DiscoveryProgress> | undefined;
  let done: Discovery | undefined;
  try {
    const config = parseDiscoveryConfig(await readFile(options.configFile, 'utf8'));
    const more = () => (done === undefined ? {} : textsOf(done));
    keeper = await Keeper.takeOver<DiscoveryProgress>({
      store: options.store?.(more) ?? kubernetesStore(config, { log, closing, more }),
      begin: (found, holder) =>
        found?.change === config.change ? { ...found, holder } : freshProgress(config.change, holder),
      identity: { id: randomUUID(), pod: environment['POD_NAME'] ?? hostname() },
      timing: systemClock,
      log,
      signal,
      leaseMilliseconds: config.leaseSeconds * 1000,
    });
    if (keeper.progress.phase === 'Done') return 0;
    done = await carryOut(config, { keeper, environment, signal, log, closing });
    keeper.update({ result: done.result, phase: 'Done', step: undefined, failure: undefined });
    await keeper.save();
    log.info({ outcome: done.result.outcome, sampled: done.result.sampled }, 'discovery is done');
    return 0;
  } catch (error) {
    if (signal.aborted) {
      log.info('stopped');
      return STOPPED;
    }
    log.error({ err: error }, 'discovery failed');
    await tellFailure(keeper, error, log);
    return 1;
  } finally {
    await keeper?.release().catch((error: unknown) => log.warn({ err: error }, 'progress can not be released'));
    await closeAll(closing, log);
  }
}

type Running = Pick<DiscoveryWorkerOptions, 'environment' | 'signal'> & {
  readonly keeper: Keeper<DiscoveryProgress>;
  readonly log: Logger;
  readonly closing: (() => unknown)[];
};

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

type Keeping = Pick<Running, 'log' | 'closing'> & { readonly more: () => Readonly<Record<string, string>> };

function kubernetesStore(config: DiscoveryConfig, { log, closing, more }: Keeping): ProgressStore<DiscoveryProgress> {
  const client = KubeClient.fromDefault({ userAgent: 'qdrant-librarian-worker', log });
  closing.push(() => client.close());
  return discoveryStore(client, config.progress, more);
}

export const discoveryStore = (
  client: Parameters<typeof configMapProgress>[0],
  key: DiscoveryConfig['progress'],
  more: Keeping['more'],
): ProgressStore<DiscoveryProgress> =>
  configMapProgress(client, key, { key: DISCOVERY_KEYS.progress, parse: parseDiscoveryProgress, more });

async function tellFailure(keeper: Keeper<DiscoveryProgress> | undefined, error: unknown, log: Logger): Promise<void> {
  if (keeper === undefined || keeper.lost.aborted) return;
  const message = (error instanceof Error ? error.message : 'unknown failure').slice(0, 1024);
  keeper.update({ failure: { reason: reasonOf(error), message } });
  await keeper.save().catch((failure: unknown) => log.warn({ err: failure }, 'progress can not be saved'));
}

function reasonOf(error: unknown): string {
  if (!isQdrantError(error)) return 'TaskFailed';
  if (error.code === 'Unauthorized' || error.code === 'Forbidden') return 'Unauthorized';
  return error.status === 0 ? 'Unreachable' : 'QdrantFailed';
}
