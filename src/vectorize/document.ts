/** Something to be cut, as its source gave it. */
export type Document = {
  /** Which source it is of; part of every chunk's id. */
  readonly source: string;
  /** Where it is inside the source, with `/` between the parts. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** As the source tells it; what the path's ending says goes before. */
  readonly mediaType?: string;
};

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Metadata = { readonly [key: string]: Json };

export type Chunk = {
  /** UUID version 5 of source, path, address and ordinal. */
  readonly id: string;
  /** Path of the document. */
  readonly document: string;
  /** Where in the document's structure it is: what stays the same when other parts change. */
  readonly address: string;
  /** Its number among the chunks of the same address, from 0. */
  readonly ordinal: number;
  /** What is embedded: the heading path or the enclosing definitions first, then the text itself. */
  readonly text: string;
  /** Range in the document's bytes, end excluded, with what it repeats of the chunk before. */
  readonly start: number;
  readonly end: number;
  /** Tokens of `text`. */
  readonly tokens: number;
  /** SHA-256 of the normalised text, in hex: equal texts need one embedding. */
  readonly hash: string;
  readonly metadata: Metadata;
};

export type Strategy = 'Markdown' | 'Code' | 'Tasks' | 'Text';

export type ChunkOptions = {
  readonly strategy: Strategy;
  /** Most tokens of a chunk's text; at least 16. */
  readonly maxTokens: number;
  /** Most tokens that a chunk repeats of the one before; less than maxTokens. */
  readonly overlapTokens: number;
  /** Most bytes of a document; default 16 MiB. */
  readonly maxBytes?: number;
};

/** A document that can't be cut. Cutting it again gives the same error until the document changes. */
export class DocumentError extends Error {
  readonly reason: 'Binary' | 'TooLarge' | 'NotUtf8' | 'Empty' | 'Uncuttable';
  readonly path: string;

  constructor(reason: DocumentError['reason'], path: string, message: string) {
    super(message);
    this.name = 'DocumentError';
    this.reason = reason;
    this.path = path;
  }
}
