import type { Payload, PointId } from '../../qdrant/index.ts';
import type { DocumentFailureReason } from '../progress.ts';

/** A document's bytes, and what its source tells of it. */
export type Content = {
  readonly bytes: Uint8Array;
  readonly mediaType?: string;
  /** Changes whenever the bytes do, by the source's own word: a strong ETag. */
  readonly validator?: string;
  /** Fields that each of its points has besides its own. */
  readonly payload?: Payload;
  /** Id that its first point takes over. */
  readonly id?: PointId;
};

/** One document that was listed. */
export type Entry = {
  /** Its name in the source, with `/` between the parts; no two are equal. */
  readonly path: string;
  /** Where listing meant reading. */
  readonly content?: Content;
  /** Where listing meant reading, and that failed. */
  readonly failure?: ReadError;
};

/** How a listing ended. */
export type ListingEnd = {
  /** Only then is a document that isn't in it gone from the source. */
  readonly complete: boolean;
  /** What could not be listed, in words; the first ones. */
  readonly problems: readonly string[];
  readonly revision?: string;
};

export type Listing = {
  readonly entries: AsyncIterable<Entry>;
  /** Number of entries, where it is known before they are read. */
  readonly total?: number;
  /** Asked for when the entries are at their end. */
  readonly end: () => ListingEnd;
};

export type ReadOptions = {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** `validator` of what is known already. */
  readonly known?: string | undefined;
};

/** Where documents come from. */
export interface Source {
  /**
   * @param moved called with each part that was listed before there are entries
   * @throws SourceError when nothing of it can be listed
   */
  list(signal: AbortSignal, moved?: () => void): Promise<Listing>;
  /**
   * @returns undefined when it still is what `known` stands for
   * @throws ReadError about this document; SourceError about the whole source
   */
  read(entry: Entry, options: ReadOptions): Promise<Content | undefined>;
  close(): Promise<void>;
}

/** Nothing of the source can be read. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  readonly reason: 'SourceMissing' | 'SourceUnauthorized' | 'SourceUnreachable';

  constructor(reason: SourceError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** One document can't be read. */
export class ReadError extends Error {
  override readonly name = 'ReadError';
  readonly reason: Extract<DocumentFailureReason, 'TooLarge' | 'Changing' | 'Vanished' | 'Unreadable'>;

  constructor(reason: ReadError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

const MOST_PROBLEMS = 20;

/** Collects what keeps a listing from being complete. */
export class Problems {
  readonly #found: string[] = [];
  #count = 0;

  add(problem: string): void {
    this.#count += 1;
    if (this.#found.length < MOST_PROBLEMS) this.#found.push(problem);
  }

  end(revision?: string): ListingEnd {
    return {
      complete: this.#count === 0,
      problems: [...this.#found],
      ...(revision === undefined ? {} : { revision }),
    };
  }
}

/** Entries that are known already. */
export async function* entriesOf(entries: Iterable<Entry>): AsyncGenerator<Entry, void, undefined> {
  yield* entries;
}
