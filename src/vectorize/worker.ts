import { readdir, readFile } from 'node:fs/promises';
import { systemClock } from '../kube/index.ts';
import { inWorkerFrame, type WorkerOptions } from '../migration/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { parseVectorizeConfig, VECTORIZE_DIRECTORIES, type VectorizeConfig } from './config.ts';
import type { Cutter } from './cutter.ts';
import { cutterThreads } from './cutting-threads.ts';
import { EmbedClient, type EmbedClientOptions, type Meter } from './embed/index.ts';
import { readMounted } from './mounted.ts';
import { openSource } from './open-source.ts';
import { readBinding } from './pipeline/binding.ts';
import { RunEnd } from './pipeline/failure.ts';
import { runVectorize } from './pipeline/run.ts';
import { type GoldenQuery, parseGoldenQueries } from './quality/golden.ts';
import { configMapStore, type RunStore } from './store.ts';

export type VectorizeWorkerOptions = WorkerOptions & {
  /** Where the progress is kept; the ConfigMap named in the configuration when not given. */
  readonly store?: RunStore;
  /** Threads of its own when not given. */
  readonly cutter?: Cutter;
  /** How patiently one request to the embedder is sent again. */
  readonly retry?: EmbedClientOptions['retry'];
  /** See `VectorizeTask`. */
  readonly mostKnown?: number;
};

/**
 * `worker vectorize`: one run of a VectorizationJob, see `runVectorize`.
 *
 * @returns the exit code: 0 when the progress says how the run ended, 143 when stopped, else 1
 */
export function runVectorizeWorker(options: VectorizeWorkerOptions): Promise<number> {
  const { environment, signal } = options;
  return inWorkerFrame(options, 'vectorizing failed', async ({ log, identity, closing, kube }) => {
    const config = parseVectorizeConfig(await readFile(options.configFile, 'utf8'));
    const { result, reason } = await runVectorize({
      config,
      store: options.store ?? configMapStore(kube(), config.progress),
      identity,
      timing: systemClock,
      date: Date.now,
      ...(options.mostKnown !== undefined && { mostKnown: options.mostKnown }),
      log,
      signal,
      open: async (meter) => {
        const golden = await goldenQueries(config, environment);
        const embedder = new EmbedClient({
          ...(await embedderOptions(config, { environment, meter, log })),
          ...(options.retry && { retry: options.retry }),
        });
        closing.push(() => embedder.close());
        const source = await openSource(config, { environment, log });
        closing.push(() => source.close());
        const cutter = options.cutter ?? (await cutterThreads(config.threads ?? 1));
        closing.push(() => cutter.close());
        return { source, embedder, cutter, golden };
      },
      address: () => readBinding(environment[VECTORIZE_DIRECTORIES.binding], config.target),
    });
    log.info({ result, reason }, 'the run has ended');
  });
}

type Surroundings = { readonly environment: NodeJS.ProcessEnv; readonly meter: Meter; readonly log: Logger };

async function embedderOptions(
  { embedder }: VectorizeConfig,
  { environment, meter, log }: Surroundings,
): Promise<EmbedClientOptions> {
  const { apiKey, ca, documentPrefix: _, queryPrefix: __, ...given } = embedder;
  const keys = environment[VECTORIZE_DIRECTORIES.embedder];
  return {
    ...given,
    meter,
    log,
    ...(apiKey && { apiKey: await readMounted(keys, 'api-key') }),
    ...(ca && { ca: await readMounted(keys, 'ca.crt') }),
  };
}

/** Of all files that are mounted. @throws RunEnd for one that can't be read */
async function goldenQueries({ gates }: VectorizeConfig, environment: NodeJS.ProcessEnv): Promise<GoldenQuery[]> {
  if (!gates.goldenQueries) return [];
  const directory = environment[VECTORIZE_DIRECTORIES.goldenQueries];
  try {
    if (directory === undefined) throw new Error('golden queries are not mounted');
    const files = (await readdir(directory)).filter((name) => !name.startsWith('.')).toSorted();
    const texts = await Promise.all(files.map((file) => readMounted(directory, file)));
    return texts.flatMap((text, index) => parseGoldenQueries(files[index] ?? '', text));
  } catch (error) {
    throw new RunEnd('ConfigInvalid', error instanceof Error ? error.message : 'golden queries can not be read');
  }
}
