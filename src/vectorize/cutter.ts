import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type ChunkTools, chunkDocument } from './chunk.ts';
import { type Chunk, type ChunkOptions, type Document, DocumentError } from './document.ts';

/** Cuts documents, here or elsewhere. */
export type Cutter = {
  /** Name of the tokenizer. */
  readonly tokenizer: string;
  /** @throws DocumentError */
  cut(document: Document, options: ChunkOptions): Promise<Chunk[]>;
  close(): Promise<void>;
};

/** Where it is asked. */
export const cutterHere = (tools: ChunkTools): Cutter => ({
  tokenizer: tools.tokenizer.name,
  cut: async (document, options) => chunkDocument(document, options, tools),
  close: async () => {},
});

export type CutRequest = { readonly id: number; readonly document: Document; readonly options: ChunkOptions };
export type CutAnswer = { readonly id: number } & (
  | { readonly chunks: Chunk[] }
  | { readonly refused: { readonly reason: DocumentError['reason']; readonly message: string } }
  | { readonly failed: string }
);
type Pending = {
  readonly path: string;
  readonly resolve: (chunks: Chunk[]) => void;
  readonly reject: (error: Error) => void;
};

/**
 * In a thread of its own: a large document takes seconds, in which nobody would talk to the embedder and renew the
 * lease.
 */
export async function cutterThread(): Promise<Cutter> {
  const worker = new Worker(new URL('./cutting-thread.ts', import.meta.url));
  const pending = new Map<number, Pending>();
  let last = 0;
  const ended = (error: Error): void => {
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  const [tokenizer] = (await once(worker, 'message')) as [string];
  worker.on('message', (answer: CutAnswer) => {
    const asked = pending.get(answer.id);
    pending.delete(answer.id);
    if (asked === undefined) return;
    if ('chunks' in answer) asked.resolve(answer.chunks);
    else if ('failed' in answer) asked.reject(new Error(answer.failed));
    else asked.reject(new DocumentError(answer.refused.reason, asked.path, answer.refused.message));
  });
  worker.once('error', ended);
  worker.once('exit', () => ended(new Error('the thread that cuts documents has ended')));
  return {
    tokenizer,
    cut: (document, options) =>
      new Promise((resolve, reject) => {
        last += 1;
        pending.set(last, { path: document.path, resolve, reject });
        worker.postMessage({ id: last, document, options } satisfies CutRequest);
      }),
    close: async () => {
      await worker.terminate();
    },
  };
}
