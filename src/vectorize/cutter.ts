import { type ChunkTools, chunkDocument } from './chunk.ts';
import { cuttingThread } from './cutting-threads.ts';
import type { Chunk, ChunkOptions, Document } from './document.ts';

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
