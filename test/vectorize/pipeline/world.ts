import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type EmbedderServer, startEmbedder } from '../../../sandbox/embedder/server.ts';
import { ProgressConflict } from '../../../src/migration/index.ts';
import type { Point } from '../../../src/qdrant/index.ts';
import { ClusterClient } from '../../../src/qdrant/index.ts';
import { createLogger } from '../../../src/telemetry/index.ts';
import type { VectorizeConfig } from '../../../src/vectorize/config.ts';
import { cutterHere } from '../../../src/vectorize/cutter.ts';
import { parseVectorizeProgress, type VectorizeProgress } from '../../../src/vectorize/progress.ts';
import type { RunStore } from '../../../src/vectorize/store.ts';
import { windowed } from '../../../src/vectorize/tokenizer.ts';
import { runVectorizeWorker } from '../../../src/vectorize/worker.ts';
import { Peers } from '../../sandbox/qdrant/peers.ts';
import { put } from '../source/files.ts';

export const DIMENSIONS = 32;
const ALIAS = 'handbook';
const PHYSICAL = 'handbook--g1';

/** A word is a token, as the sandbox's embedder counts. */
const cutter = cutterHere({
  tokenizer: windowed('words', (text) => text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0),
});

/** The ConfigMap of a job, kept as text; writes fail once `dead`. */
export class MemoryStore implements RunStore {
  #progress: string | undefined;
  #version = 0;
  #pending = new Map<string, string>();
  readonly #kept = new Map<string, string>();
  readonly seen: VectorizeProgress[] = [];
  dead = false;
  /** Called after each write. */
  onWrite: (progress: VectorizeProgress) => void = () => {};

  get progress(): VectorizeProgress | undefined {
    return parseVectorizeProgress(this.#progress);
  }

  async read(): Promise<{ progress: VectorizeProgress | undefined; version: string }> {
    return { progress: this.progress, version: String(this.#version) };
  }

  async write(progress: VectorizeProgress, version: string): Promise<string> {
    if (this.dead) throw new Error('killed');
    if (version !== String(this.#version)) throw new ProgressConflict('another version');
    const text = JSON.stringify(progress);
    if (parseVectorizeProgress(text) === undefined) throw new Error(`no progress: ${text}`);
    this.#progress = text;
    this.#version += 1;
    this.seen.push(progress);
    for (const [key, value] of this.#pending) this.#kept.set(key, value);
    this.#pending = new Map();
    this.onWrite(progress);
    return String(this.#version);
  }

  async kept(key: string): Promise<string | undefined> {
    return this.#kept.get(key);
  }

  keep(key: string, text: string): void {
    this.#pending.set(key, text);
  }

  /** What is not written when a process is killed is gone. */
  revive(): void {
    this.dead = false;
    this.#pending = new Map();
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

export type Change = { readonly [K in keyof VectorizeConfig]?: Partial<VectorizeConfig[K]> | VectorizeConfig[K] };

/** A Qdrant, an embedder, a directory of documents and a mounted binding; a test changes what it is about. */
export class World {
  readonly client: ClusterClient;
  readonly url: string;
  readonly embedder: EmbedderServer;
  readonly root: string;
  readonly store = new MemoryStore();
  readonly documents: string;
  readonly binding: string;
  /** What the worker said last. */
  said = '';
  /** Marks that a run holds at once. */
  mostKnown = 50_000;
  #runs = 0;

  constructor(options: { url: string; embedder: EmbedderServer; root: string }) {
    this.url = options.url;
    this.embedder = options.embedder;
    this.root = options.root;
    this.client = new ClusterClient({ peers: [{ name: 'a', rest: this.url }] });
    this.documents = join(this.root, 'documents');
    this.binding = join(this.root, 'binding');
    put(this.documents, '.keep', '');
    this.bind(this.url);
  }

  bind(url: string, collection = ALIAS): void {
    put(this.binding, 'uri', url);
    put(this.binding, 'collection', collection);
  }

  put(path: string, content: string | Uint8Array): void {
    put(this.documents, path, content);
  }

  remove(path: string): void {
    rmSync(join(this.documents, path), { recursive: true });
  }

  async createLibrary(vectors: object = { size: DIMENSIONS, distance: 'Cosine' }): Promise<void> {
    await this.client.createCollection(PHYSICAL, { vectors } as never);
    await this.client.updateAliases([{ create_alias: { collection_name: PHYSICAL, alias_name: ALIAS } }]);
  }

  config(change: Change = {}): VectorizeConfig {
    this.#runs += 1;
    const base: VectorizeConfig = {
      version: 1,
      job: { uid: 'uid-1', namespace: 'docs', name: 'handbook' },
      run: `run-${this.#runs}`,
      progress: { namespace: 'docs', name: 'handbook-progress' },
      source: { kind: 'directory' },
      include: ['**/*.md'],
      exclude: [],
      chunking: { strategy: 'Markdown', maxTokens: 64, overlapTokens: 0 },
      embedder: {
        protocol: 'OpenAI',
        url: this.embedder.url,
        model: 'hashing',
        batchSize: 8,
        maxConcurrency: 4,
        apiKey: false,
        ca: false,
      },
      target: { collection: ALIAS, uri: this.url },
      mode: 'Incremental',
      gates: { goldenQueries: false },
      deletionGuardPercent: 50,
      budget: {},
      leaseSeconds: 4,
      patienceSeconds: 20,
    };
    const entries = Object.entries(change).map(([name, value]) => {
      const before = base[name as keyof VectorizeConfig];
      const merged = typeof before === 'object' && !Array.isArray(before) ? { ...before, ...(value as object) } : value;
      return [name, merged];
    });
    return { ...base, ...Object.fromEntries(entries) };
  }

  /** One pod of a run; the progress when it has ended. */
  async run(change: Change | VectorizeConfig = {}, options: { signal?: AbortSignal } = {}): Promise<VectorizeProgress> {
    const config = 'version' in change ? change : this.config(change);
    const file = join(this.root, `${config.run}.json`);
    writeFileSync(file, JSON.stringify(config));
    const lines: string[] = [];
    await runVectorizeWorker({
      configFile: file,
      environment: {
        QDRANT_LIBRARIAN_BINDING: this.binding,
        QDRANT_LIBRARIAN_DOCUMENTS: this.documents,
        QDRANT_LIBRARIAN_GOLDEN_QUERIES: join(this.root, 'golden'),
        QDRANT_LIBRARIAN_SOURCE_KEYS: join(this.root, 'keys'),
        QDRANT_LIBRARIAN_EMBEDDER_KEYS: join(this.root, 'keys'),
      },
      signal: options.signal ?? new AbortController().signal,
      log: createLogger('info', { write: (line: string) => void lines.push(line) }),
      store: this.store,
      cutter,
      mostKnown: this.mostKnown,
      retry: { attempts: 3, baseMilliseconds: 1, capMilliseconds: 4 },
    });
    this.said = lines.join('');
    const { progress } = this.store;
    if (progress === undefined) throw new Error(`no progress: ${this.said}`);
    return progress;
  }

  points(): Promise<Point[]> {
    return Array.fromAsync(this.client.scrollAll(ALIAS, { withVectors: true }));
  }

  /** Texts by document. */
  async texts(): Promise<Record<string, string[]>> {
    const byDocument = Map.groupBy(await this.points(), ({ payload }) => textOf(payload['document']));
    const entries = [...byDocument].map(([path, points]) => {
      return [path, points.map(({ payload }) => textOf(payload['text'])).toSorted()] as const;
    });
    return Object.fromEntries(entries);
  }

  /** How often each text was embedded, canary texts included. */
  get embedded(): ReadonlyMap<string, number> {
    return this.embedder.served.texts;
  }
}

/** One Qdrant for a file of tests; a collection and an embedder of its own for each. */
export class Ground {
  readonly #peers = new Peers({ QDRANT__CLUSTER__ENABLED: 'false' });
  #url = '';

  async start(): Promise<void> {
    const [peer] = await this.#peers.cluster(1);
    this.#url = peer?.url ?? '';
  }

  stop(): Promise<void> {
    return this.#peers.close();
  }

  async world(t: TestContext, options: Parameters<typeof startEmbedder>[0] = {}): Promise<World> {
    const root = mkdtempSync(join(tmpdir(), 'vectorize-'));
    const embedder = await startEmbedder({ dimensions: DIMENSIONS, ...options });
    const world = new World({ url: this.#url, embedder, root });
    t.after(async () => {
      for (const name of await world.client.collections()) await world.client.deleteCollection(name);
      await world.client.close();
      await embedder.stop();
      rmSync(root, { recursive: true, force: true });
    });
    await world.createLibrary();
    return world;
  }
}

export const page = (title: string, body: string): string => `# ${title}\n\n${body}\n`;
