import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Agent } from 'undici';
import { ClusterClient } from '../src/qdrant/index.ts';
import type { VectorizeConfig } from '../src/vectorize/config.ts';
import type { Counts, RunResult } from '../src/vectorize/progress.ts';
import type { Benchmark } from './benchmark.ts';
import { BATCH, CONCURRENCY, DIMENSIONS, LANES, SERVICE_MILLISECONDS } from './embed-figures.ts';
import { figure, table } from './table.ts';
import { gatherMarkdown } from './vectorize/corpus.ts';
import { startQdrant } from './vectorize/qdrant.ts';

const execute = promisify(execFile);
const OURS = join(import.meta.dirname, 'vectorize/ours.ts');
const DOCKERFILE = join(import.meta.dirname, '../Dockerfile');
const PYTHON = join(import.meta.dirname, 'vectorize/pipeline.py');

/** Markdown files that are read. */
const FILES = { short: 150, full: 600 };
const MAXIMUM_SECONDS = { short: 2, full: 6 };
const MAX_TOKENS = 256;
/** Of plain English, so many make a token. */
const CHARACTERS_PER_TOKEN = 4;
const COLLECTION = 'bench';
const MODES = ['model', 'instant'] as const;

type Figures = { readonly seconds: number; readonly cpuSeconds: number; readonly peakBytes: number };
type Ours = Figures & { readonly code: number; readonly result?: RunResult; readonly counts?: Counts };
type Python = Figures & { readonly chunks: number; readonly with: string };
type Place = {
  readonly directory: string;
  readonly documents: string;
  readonly qdrant: string;
  readonly client: ClusterClient;
  readonly embedder: string;
  readonly signal: AbortSignal;
  readonly strategy: 'Markdown' | 'Text';
};

export const vectorize: Benchmark = {
  name: 'vectorize',
  measures: "chunks a second of a whole run, beside the endpoint's own maximum and the same pipeline in Python",
  embedded: `embedder: a thread that answers from memory; Qdrant: ${process.env['QDRANT_BIN'] === undefined ? 'the engine' : 'real'}`,
  run: async ({ short, signal, progress }) => {
    const directory = mkdtempSync(join(tmpdir(), 'bench-vectorize-'));
    const worker = new Worker(new URL('./vectorize/endpoint.ts', import.meta.url));
    const [port] = (await once(worker, 'message')) as [number];
    const qdrant = await startQdrant(directory);
    const client = new ClusterClient({ peers: [{ name: 'bench', rest: qdrant.url }] });
    try {
      const documents = join(directory, 'documents');
      const files = await gatherMarkdown(documents, short ? FILES.short : FILES.full);
      const rows: string[][] = [['', 'chunks', 'chunks/s', 'of the maximum', 'CPU, us/chunk', 'peak MiB']];
      const broken: string[] = [];
      for (const mode of MODES) {
        const embedder = `http://127.0.0.1:${port}/${mode}`;
        const place: Place = {
          directory,
          documents,
          qdrant: qdrant.url,
          client,
          embedder,
          signal,
          strategy: 'Markdown',
        };
        progress(`${mode}: the endpoint's maximum`);
        const maximum = await bare(embedder, short ? MAXIMUM_SECONDS.short : MAXIMUM_SECONDS.full);
        rows.push([`${mode}: the endpoint's maximum`, '', figure(maximum), '', '', '']);
        progress(`${mode}: the worker`);
        const plain = await ours({ ...place, strategy: 'Text' }, 'plain', { empty: true });
        rows.push(rowOf(`${mode}: the worker, plain text`, { ...plain, chunks: plain.counts?.chunks ?? 0 }, maximum));
        const first = await ours(place, 'first', { empty: true });
        const points = await client.count(COLLECTION);
        rows.push(rowOf(`${mode}: the worker, Markdown`, { ...first, chunks: first.counts?.chunks ?? 0 }, maximum));
        if (first.result?.result !== 'Succeeded') broken.push(`${mode}: the run ended as ${first.result?.reason}`);
        if (points !== first.counts?.chunks) broken.push(`${mode}: ${points} points of ${first.counts?.chunks} chunks`);
        progress(`${mode}: its second run`);
        const second = await ours(place, 'second', { empty: false });
        rows.push(rowOf(`${mode}: its second run`, { ...second, chunks: second.counts?.chunks ?? 0 }, undefined));
        if (second.counts?.embedded !== 0) broken.push(`${mode}: the second run embedded ${second.counts?.embedded}`);
        progress(`${mode}: Python`);
        const python = await inPython(place);
        if (typeof python === 'string') rows.push([`${mode}: Python: ${python}`]);
        else rows.push(rowOf(`${mode}: Python with ${python.with}`, python, maximum));
      }
      const head = `${files} Markdown files, ${MAX_TOKENS} tokens a chunk, ${DIMENSIONS} dimensions, ${BATCH} texts a request, ${CONCURRENCY} at a time; model: ${LANES} lanes of ${SERVICE_MILLISECONDS} ms a request\n`;
      return { text: head + table(rows), broken };
    } finally {
      await client.close();
      await qdrant.stop();
      await worker.terminate();
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

const rowOf = (name: string, run: Figures & { chunks: number }, maximum: number | undefined): string[] => [
  name,
  figure(run.chunks),
  figure(run.chunks / run.seconds),
  maximum === undefined ? '' : (run.chunks / run.seconds / maximum).toFixed(3),
  figure((run.cpuSeconds * 1e6) / run.chunks),
  figure(run.peakBytes / 1024 / 1024),
];

/** Chunks a second of requests that were made before and whose answers nobody reads. */
async function bare(url: string, seconds: number): Promise<number> {
  const text = 'every peer keeps its shards and answers for them, '.repeat(20);
  const input = Array.from({ length: BATCH }, (_, index) => `chunk ${index}: ${text}`);
  const body = JSON.stringify({ model: 'm', input, encoding_format: 'base64' });
  const agent = new Agent({ connections: CONCURRENCY, pipelining: 1 });
  const { origin, pathname } = new URL(url);
  const headers = { 'content-type': 'application/json' };
  const end = performance.now() + seconds * 1000;
  const began = performance.now();
  let chunks = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < end) {
      const answer = await agent.request({ origin, path: `${pathname}/v1/embeddings`, method: 'POST', headers, body });
      await answer.body.dump({ limit: 64 * 1024 * 1024 });
      chunks += BATCH;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  await agent.close();
  return (chunks * 1000) / (performance.now() - began);
}

async function fresh({ client }: Place): Promise<void> {
  if (await client.collectionExists(COLLECTION)) await client.deleteCollection(COLLECTION);
  await client.createCollection(COLLECTION, { vectors: { size: DIMENSIONS, distance: 'Cosine' } });
}

async function ours(place: Place, run: string, { empty }: { empty: boolean }): Promise<Ours> {
  if (empty) await fresh(place);
  const { directory, documents, qdrant, embedder, signal } = place;
  const binding = join(directory, 'binding');
  mkdirSync(binding, { recursive: true });
  writeFileSync(join(binding, 'uri'), qdrant);
  writeFileSync(join(binding, 'collection'), COLLECTION);
  const config: VectorizeConfig = {
    version: 1,
    job: { uid: 'bench', namespace: 'bench', name: 'bench' },
    run,
    progress: { namespace: 'bench', name: 'bench' },
    source: { kind: 'directory' },
    include: [],
    exclude: [],
    chunking: { strategy: place.strategy, maxTokens: MAX_TOKENS, overlapTokens: 0 },
    embedder: {
      ...{ protocol: 'OpenAI', url: embedder, model: 'm', apiKey: false, ca: false },
      ...{ batchSize: BATCH, maxConcurrency: CONCURRENCY },
    },
    target: { collection: COLLECTION, uri: qdrant },
    mode: 'Incremental',
    gates: { goldenQueries: false },
    deletionGuardPercent: 20,
    budget: {},
    leaseSeconds: 20,
  };
  const file = join(directory, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const env = { ...process.env, QDRANT_LIBRARIAN_BINDING: binding, QDRANT_LIBRARIAN_DOCUMENTS: documents };
  const { stdout } = await execute(process.execPath, [...imageFlags(), OURS, file], { env, signal });
  return JSON.parse(stdout) as Ours;
}

/** With which the image runs every worker. */
const imageFlags = (): string[] =>
  [...readFileSync(DOCKERFILE, 'utf8').matchAll(/"(--max-[a-z-]+=\d+)"/g)].flatMap(([, flag = '']) => [flag]);

/** @returns why it can't be measured here, where it can't */
async function inPython(place: Place): Promise<Python | string> {
  await fresh(place);
  const { documents, embedder, qdrant, signal } = place;
  const figures = [BATCH, CONCURRENCY, MAX_TOKENS * CHARACTERS_PER_TOKEN].map(String);
  try {
    const args = [PYTHON, documents, embedder, qdrant, COLLECTION, ...figures];
    return JSON.parse((await execute('python3', args, { signal })).stdout) as Python;
  } catch (error) {
    signal.throwIfAborted();
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') return 'skipped, python3 is not installed';
    if (code === 3) return `skipped, ${stderr}`;
    throw error;
  }
}
