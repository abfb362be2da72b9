import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ChunkTools,
  chunkDocument,
  type Document,
  DocumentError,
  type Grammars,
  loadGrammars,
  loadTokenizer,
  type Strategy,
  type Tokenizer,
} from '../src/vectorize/chunk.ts';
import type { Benchmark, BenchmarkOptions, Report } from './benchmark.ts';
import { figure, table } from './table.ts';

const MODULES = fileURLToPath(new URL('../node_modules/', import.meta.url));
const MEGABYTE = 1e6;
const BUDGET = { maxTokens: 512, overlapTokens: 64 };
const TASKS_PER_DOCUMENT = 1000;

type Corpus = { readonly name: string; readonly strategy: Strategy; readonly documents: Iterable<Document> };
type Measured = { bytes: number; documents: number; chunks: number; longest: number; seconds: number; peak: number };

/** How fast documents become chunks, with the tokens that a model would count and without counting them exactly. */
export const chunk: Benchmark = {
  name: 'chunk',
  measures:
    'chunks and MB per second of processor time, over the Markdown and TypeScript of node_modules and over task lists',
  embedded: 'nothing; "letters" counts a token for four letters, and shows what counting with o200k_base costs',
  run: async (options) => {
    const grammars = await loadGrammars();
    const began = performance.now();
    const exact = await loadTokenizer();
    options.progress(`${exact.name} loaded in ${figure(performance.now() - began)} ms`);
    return measureAll(options, [exact, letters], grammars);
  },
};

const letters: Tokenizer = { name: 'letters', count: (text) => Math.ceil(text.length / 4) };

async function measureAll(
  { short, signal, progress }: BenchmarkOptions,
  tokenizers: readonly Tokenizer[],
  grammars: Grammars,
): Promise<Report> {
  const bytes = (short ? 1 : 6) * MEGABYTE;
  const tasks = short ? 10_000 : 100_000;
  const corpora = (): Corpus[] => [
    { name: 'Markdown', strategy: 'Markdown', documents: filesOf(['.md'], bytes) },
    { name: 'TypeScript', strategy: 'Code', documents: filesOf(['.ts', '.mts', '.cts'], bytes) },
    { name: `${tasks.toLocaleString('en')} tasks`, strategy: 'Tasks', documents: taskLists(tasks) },
    { name: 'as plain text', strategy: 'Text', documents: filesOf(['.md'], bytes) },
  ];
  const rows = [['', 'tokens by', 'documents', 'MB', 'chunks', 'chunks/s', 'MB/s', 'MB memory']];
  const broken: string[] = [];
  for (const tokenizer of tokenizers) {
    for (const corpus of corpora()) {
      progress(`${corpus.name}, ${tokenizer.name}`);
      const measured = await measure(corpus, { tokenizer, grammars }, signal);
      rows.push([corpus.name, tokenizer.name, ...figuresOf(measured)]);
      if (measured.longest > BUDGET.maxTokens) {
        broken.push(`${corpus.name}: a chunk of ${measured.longest} tokens, more than ${BUDGET.maxTokens}`);
      }
      if (corpus.strategy === 'Tasks' && measured.chunks !== tasks) {
        broken.push(`${tasks} tasks gave ${measured.chunks} chunks`);
      }
    }
  }
  return { text: table(rows), broken };
}

const figuresOf = ({ bytes, documents, chunks, seconds, peak }: Measured): string[] => [
  String(documents),
  figure(bytes / MEGABYTE),
  String(chunks),
  figure(chunks / seconds),
  figure(bytes / MEGABYTE / seconds),
  figure(peak / MEGABYTE),
];

/** Seconds of processor time, all threads: what else runs on the machine and reading the files are not counted. */
async function measure({ strategy, documents }: Corpus, tools: ChunkTools, signal: AbortSignal): Promise<Measured> {
  const measured: Measured = { bytes: 0, documents: 0, chunks: 0, longest: 0, seconds: 0, peak: 0 };
  for (const document of documents) {
    signal.throwIfAborted();
    const began = process.cpuUsage();
    try {
      const chunks = chunkDocument(document, { ...BUDGET, strategy }, tools);
      measured.chunks += chunks.length;
      measured.longest = chunks.reduce((longest, { tokens }) => Math.max(longest, tokens), measured.longest);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
    }
    const { user, system } = process.cpuUsage(began);
    measured.seconds += (user + system) / 1e6;
    measured.bytes += document.bytes.length;
    measured.documents += 1;
    if (measured.documents % 50 === 1) {
      measured.peak = Math.max(measured.peak, process.memoryUsage.rss());
      await new Promise(setImmediate);
    }
  }
  return measured;
}

/** Files of node_modules in the order of their paths, until they are so many bytes. */
function* filesOf(endings: readonly string[], bytes: number): Generator<Document> {
  let read = 0;
  for (const path of pathsIn('')) {
    if (!endings.includes(extname(path))) continue;
    const content = readFileSync(join(MODULES, path));
    if (content.length === 0) continue;
    yield { source: 'node_modules', path, bytes: content };
    read += content.length;
    if (read >= bytes) return;
  }
}

function* pathsIn(folder: string): Generator<string> {
  if (!existsSync(join(MODULES, folder))) return;
  const entries = readdirSync(join(MODULES, folder), { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* pathsIn(path);
    else if (entry.isFile()) yield path;
  }
}

function* taskLists(count: number): Generator<Document> {
  for (let first = 0; first < count; first += TASKS_PER_DOCUMENT) {
    const lines = ['# Work', ''];
    for (let at = first; at < Math.min(count, first + TASKS_PER_DOCUMENT); at += 1) {
      const indent = '  '.repeat(at % 10 === 0 ? 0 : 1);
      lines.push(`${indent}- [${at % 3 === 0 ? 'x' : ' '}] T${at} Do thing ${at}, depends on T${at - 1}`);
    }
    yield { source: 'bench', path: `tasks-${first}.md`, bytes: Buffer.from(lines.join('\n')) };
  }
}
