import { type ChunkTools, chunkDocument } from './chunk.ts';
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
