import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Cutter } from './cutter.ts';
import { type Chunk, type ChunkOptions, type Document, DocumentError } from './document.ts';

export type CutRequest = { readonly document: Document; readonly options: ChunkOptions };
export type CutAnswer =
  | { readonly chunks: Chunk[] }
  | { readonly refused: { readonly reason: DocumentError['reason']; readonly message: string } }
  | { readonly failed: string };
type Asked = {
  readonly request: CutRequest;
  readonly resolve: (chunks: Chunk[]) => void;
  readonly reject: (error: Error) => void;
};

export type CuttingLimits = {
  /** For one document; the largest takes some seconds. */
  readonly seconds: number;
  /** What runs in the thread. */
  readonly script: URL;
};

const LIMITS: CuttingLimits = { seconds: 120, script: new URL('./cutting-thread.ts', import.meta.url) };

/** In so many threads: each document goes to the one that has least to do. */
export async function cutterThreads(count = 1): Promise<Cutter> {
  const [first, ...others] = await Promise.all([
    cuttingThread(),
    ...Array.from({ length: count - 1 }, () => cuttingThread()),
  ]);
  if (others.length === 0) return first;
  const threads = [first, ...others].map((cutter) => ({ cutter, bytes: 0 }));
  return {
    tokenizer: first.tokenizer,
    cut: async (document, options) => {
      const [thread] = threads.toSorted((a, b) => a.bytes - b.bytes);
      if (thread === undefined) throw new Error('there is no thread');
      thread.bytes += document.bytes.length;
      try {
        return await thread.cutter.cut(document, options);
      } finally {
        thread.bytes -= document.bytes.length;
      }
    },
    close: async () => {
      await Promise.all(threads.map(({ cutter }) => cutter.close()));
    },
  };
}

/**
 * A thread of its own: a large document takes seconds, in which nobody would talk to the embedder and renew the lease.
 * A document that takes too long, or ends its thread, is given up, and another thread goes on with the next.
 */
export async function cuttingThread(limits: Partial<CuttingLimits> = {}): Promise<Cutter> {
  const thread = new CuttingThread({ ...LIMITS, ...limits });
  const tokenizer = await thread.begin();
  return {
    tokenizer,
    cut: (document, options) => thread.cut({ document, options }),
    close: () => thread.close(),
  };
}

class CuttingThread {
  readonly #limits: CuttingLimits;
  /** The first one is at work; answers come in this order. */
  readonly #asked: Asked[] = [];
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended: Error | undefined;

  constructor(limits: CuttingLimits) {
    this.#limits = limits;
  }

  /** @returns the tokenizer's name */
  async begin(): Promise<string> {
    const worker = new Worker(this.#limits.script);
    const [tokenizer] = (await once(worker, 'message')) as [string];
    worker.on('message', (answer: CutAnswer) => this.#answered(answer));
    let error: Error | undefined;
    worker.on('error', (cause: Error) => {
      error = cause;
    });
    // An error comes before answers that were given before it; the end of the thread comes after them.
    worker.on('exit', () =>
      this.#giveUp(worker, `ended the thread that cut it: ${error?.message ?? 'no reason told'}`),
    );
    this.#worker = worker;
    for (const { request } of this.#asked) worker.postMessage(request);
    this.#watch();
    return tokenizer;
  }

  cut(request: CutRequest): Promise<Chunk[]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      this.#asked.push({ request, resolve, reject });
      this.#worker?.postMessage(request);
      if (this.#asked.length === 1) this.#watch();
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#end(new Error('the thread that cuts documents has ended'));
    await worker?.terminate();
  }

  #answered(answer: CutAnswer): void {
    const asked = this.#asked.shift();
    this.#watch();
    if (asked === undefined) return;
    if ('chunks' in answer) asked.resolve(answer.chunks);
    else if ('failed' in answer) asked.reject(new Error(answer.failed));
    else asked.reject(new DocumentError(answer.refused.reason, asked.request.document.path, answer.refused.message));
  }

  #watch(): void {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    if (worker === undefined || this.#asked.length === 0) return;
    const { seconds } = this.#limits;
    this.#timer = setTimeout(() => this.#giveUp(worker, `takes longer than ${seconds} s to cut`), seconds * 1000);
  }

  #giveUp(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    clearTimeout(this.#timer);
    const asked = this.#asked.shift();
    const path = asked?.request.document.path ?? '';
    asked?.reject(new DocumentError('Uncuttable', path, `${path} ${message}`));
    worker
      .terminate()
      .then(() => (this.#ended === undefined ? this.begin() : undefined))
      .catch((error: unknown) =>
        this.#end(error instanceof Error ? error : new Error('no thread that cuts can begin')),
      );
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#worker = undefined;
    clearTimeout(this.#timer);
    for (const { reject } of this.#asked.splice(0)) reject(this.#ended);
  }
}
