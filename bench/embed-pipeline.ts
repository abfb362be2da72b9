/**
 * How much of an embedder the pipeline leaves unused: chunks a second through `embedAll`, beside the endpoint's own
 * maximum, measured by a bare loop with as many requests at a time that sends bodies made before and throws answers
 * away. Below `model` the endpoint takes its time, as one with a model does: the ratio says what a job loses. Below
 * `instant` it takes none: the ratio says what the client costs. Ratios are worth comparing between machines.
 *
 *     node bench/embed-pipeline.ts [seconds for each measurement, default 2]
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Agent } from 'undici';
import { EmbedClient, embedAll, type Protocol } from '../src/vectorize/embed/index.ts';
import { dialectOf } from '../src/vectorize/embed/protocols/index.ts';
import { BATCH, CONCURRENCY, DIMENSIONS, LANES, SERVICE_MILLISECONDS, TOKENS } from './embed-figures.ts';
import { figure, table } from './table.ts';

type Variant = { readonly name: string; readonly protocol: Protocol; readonly encoding: 'base64' | 'float' };

const VARIANTS: readonly Variant[] = [
  { name: 'Ollama', protocol: 'Ollama', encoding: 'float' },
  { name: 'OpenAI, base64', protocol: 'OpenAI', encoding: 'base64' },
  { name: 'OpenAI, float', protocol: 'OpenAI', encoding: 'float' },
  { name: 'TEI', protocol: 'TEI', encoding: 'float' },
  { name: 'Gemini', protocol: 'Gemini', encoding: 'float' },
];
const MODES = ['model', 'instant'] as const;
const WARM_UP_SECONDS = 0.25;

const seconds = Number(process.argv[2] ?? 2);
const worker = new Worker(new URL('./embed-endpoint.ts', import.meta.url));
const [port] = (await once(worker, 'message')) as [number];

const FILLER = 'every peer keeps its shards and answers for them, '.repeat(20);
const chunk = (index: number): string => `chunk ${index}: ${FILLER}`;

const rows: string[][] = [['endpoint, protocol', 'its maximum', 'pipeline', 'ratio', 'CPU of the pipeline']];
for (const mode of MODES) {
  for (const variant of VARIANTS) {
    const url = `http://127.0.0.1:${port}/${mode}${variant.encoding === 'base64' ? '/base64' : ''}`;
    const maximum = await bare(url, variant);
    const ours = await pipeline(url, variant);
    rows.push([
      `${mode}, ${variant.name}`,
      `${figure(maximum)} chunks/s`,
      `${figure(ours.rate)} chunks/s`,
      (ours.rate / maximum).toFixed(3),
      `${figure(ours.microseconds)} us/chunk`,
    ]);
  }
}
process.stdout.write(
  `${BATCH} chunks of ${Buffer.byteLength(chunk(0))} bytes a request, ${CONCURRENCY} at a time, ${DIMENSIONS} dimensions; ` +
    `model: ${LANES} lanes of ${SERVICE_MILLISECONDS} ms a request\n${table(rows)}`,
);
await worker.terminate();

/** Chunks a second without making a request or reading an answer. */
async function bare(url: string, { protocol, encoding }: Variant): Promise<number> {
  const request = dialectOf(protocol, { model: 'm', encoding }).ask(Array.from({ length: BATCH }, (_, i) => chunk(i)));
  const agent = new Agent({ connections: CONCURRENCY, pipelining: 1 });
  const { origin, pathname } = new URL(url);
  const headers = { 'content-type': 'application/json' };
  const exchange = async (): Promise<void> => {
    const path = pathname + request.path;
    const answer = await agent.request({ origin, path, method: 'POST', headers, body: request.body ?? null });
    await answer.body.dump({ limit: 64 * 1024 * 1024 });
  };
  const clock = stopwatch();
  let chunks = 0;
  const lane = async (): Promise<void> => {
    while (clock.runs()) {
      await exchange();
      if (clock.counts()) chunks += BATCH;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  await agent.close();
  return chunks / seconds;
}

type Measured = { readonly rate: number; readonly microseconds: number };

async function pipeline(url: string, { protocol, encoding }: Variant): Promise<Measured> {
  const client = new EmbedClient({
    protocol,
    url,
    model: 'm',
    encoding,
    batchSize: BATCH,
    maxConcurrency: CONCURRENCY,
  });
  function* endless(): Generator<string> {
    for (let index = 0; ; index += 1) yield chunk(index);
  }
  const before = process.threadCpuUsage();
  const clock = stopwatch();
  let all = 0;
  let chunks = 0;
  for await (const { error } of embedAll(endless(), { client, wanted: (text) => ({ text, tokens: TOKENS }) })) {
    if (error !== undefined) throw error;
    all += 1;
    if (!clock.runs()) break;
    if (clock.counts()) chunks += 1;
  }
  const { user, system } = process.threadCpuUsage(before);
  await client.close();
  return { rate: chunks / seconds, microseconds: (user + system) / all };
}

/** Counts after a warm-up, for so many seconds. */
function stopwatch() {
  const begin = performance.now() + WARM_UP_SECONDS * 1000;
  const end = begin + seconds * 1000;
  return {
    runs: () => performance.now() < end,
    counts: () => performance.now() >= begin && performance.now() <= end,
  };
}
