import { type Chunk, type ChunkOptions, chunkDocument, type Document } from '../../src/vectorize/chunk.ts';
import { loadGrammars } from '../../src/vectorize/parse/grammars.ts';
import { windowed } from '../../src/vectorize/tokenizer.ts';

/** A token per four letters, sign or line end: as fast as it gets, and as little additive as a real one. */
export const words = windowed('words', (text) => text.match(/[^\S\n]?[\p{L}\p{N}]{1,4}|\n+|\S/gu)?.length ?? 0);

export const tools = { tokenizer: words, grammars: await loadGrammars() };

export const documentOf = (path: string, content: string | Uint8Array): Document => ({
  source: 'test',
  path,
  bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content,
});

export const cut = (path: string, content: string | Uint8Array, options: Partial<ChunkOptions> = {}): Chunk[] =>
  chunkDocument(
    documentOf(path, content),
    { strategy: path.endsWith('.txt') ? 'Text' : 'Code', maxTokens: 64, overlapTokens: 0, ...options },
    tools,
  );

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a chunk's range: throws when it begins or ends inside a character. */
export const rangeText = (content: string, { start, end }: Chunk): string =>
  decoder.decode(new TextEncoder().encode(content).subarray(start, end));
