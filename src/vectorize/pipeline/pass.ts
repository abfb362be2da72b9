import type { PointId } from '../../qdrant/index.ts';
import type { VectorizeConfig } from '../config.ts';
import type { Cutter } from '../cutter.ts';
import { type ChunkOptions, DocumentError } from '../document.ts';
import type { DocumentFailure } from '../progress.ts';
import type { Findings } from '../quality/findings.ts';
import type { Sample } from '../quality/sample.ts';
import type { Content } from '../source/source.ts';
import { compare, presentAt } from './compare.ts';
import type { Seen } from './documents.ts';
import { examine } from './examine.ts';
import { Fingerprints } from './fingerprints.ts';
import { type Expected, expectedPoints, type Known, type Making, revisionOf } from './points.ts';
import type { Item } from './resolve.ts';
import type { Shape } from './target.ts';
import type { Open, Tracker } from './tracker.ts';

export type PassOptions = {
  readonly config: VectorizeConfig;
  readonly cutter: Cutter;
  readonly making: Making;
  readonly shape: Shape;
  readonly tracker: Tracker;
  readonly sample: Sample<PointId>;
  /** Where points are looked at one by one. */
  readonly findings: Findings | undefined;
};

/** What must be known of a document before it is known what it needs. */
export type Prepared = { readonly seen: Seen } & (
  | { readonly failure: Omit<DocumentFailure, 'path'> }
  | { readonly unchanged: readonly Known[]; readonly stale: readonly PointId[] }
  | { readonly expected: readonly Expected[] }
);

type Stale = { readonly open: Open; readonly ids: readonly PointId[] };

/** One pass over a source: what each document needs, and what it leaves behind. */
export class Pass {
  readonly #options: PassOptions;
  readonly #documents = new Fingerprints();
  readonly #hashes = new Fingerprints();
  readonly #stale: Stale[] = [];
  #duplicates = 0;
  #accounted = 0;

  constructor(options: PassOptions) {
    this.#options = options;
  }

  /** Chunks whose text another one has. */
  get duplicates(): number {
    return this.#duplicates;
  }

  /** How many points the job has if none is of a document that wasn't listed. */
  get accounted(): number {
    return this.#accounted;
  }

  hasListed(document: string): boolean {
    return this.#documents.has(document);
  }

  /** Points of documents that have changed; those of a document that failed stay. */
  stale(): PointId[] {
    return this.#stale.flatMap(({ open, ids }) => (open.failed ? [] : ids));
  }

  /** A document with its points as they must be, where it must be cut to know them. */
  async prepare(seen: Seen): Promise<Prepared> {
    const { making, findings } = this.#options;
    const { content, known, failure } = seen;
    if (failure !== undefined) return { seen, failure };
    if (content === undefined) return { seen, unchanged: known, stale: [] };
    const present = presentAt(revisionOf(content, making), making.job, known);
    if (present.whole && findings === undefined) return { seen, unchanged: present.points, stale: present.stale };
    try {
      return { seen, expected: await this.#expected(seen.path, content) };
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      if (error.reason === 'Empty') return { seen, expected: [] };
      return { seen, failure: { reason: error.reason, message: error.message } };
    }
  }

  /** What must be done for a document. */
  needs(prepared: Prepared): Item[] {
    const { seen } = prepared;
    const open = this.#options.tracker.begin(seen.path);
    this.#documents.add(seen.path);
    if ('failure' in prepared) return this.#failed(open, seen.known, prepared.failure);
    if ('expected' in prepared) return this.#planned(open, prepared.expected, seen);
    this.#leave(open, prepared.stale);
    return this.#unchanged(open, prepared.unchanged);
  }

  async #expected(path: string, content: Content): Promise<Expected[]> {
    const { config, cutter, making } = this.#options;
    const { bytes, mediaType } = content;
    const document = { source: making.source, path, bytes, ...(mediaType === undefined ? {} : { mediaType }) };
    return expectedPoints(content, await cutter.cut(document, chunkOptions(config)), making);
  }

  #planned(open: Open, expected: readonly Expected[], { known, full }: Seen): Item[] {
    const { findings, shape, tracker, config } = this.#options;
    const compared =
      findings === undefined ? compare(expected, known) : examine(expected, { known, full }, { shape, findings });
    const items = compared.needs.flatMap(({ point, what, fresh }): Item[] =>
      what === 'nothing' ? [] : [{ open, point, what, ...(fresh && { fresh }) }],
    );
    for (const id of compared.stale) findings?.add('orphan', open.path, id);
    for (const { id, mark } of expected) this.#note(id, mark.hash);
    this.#leave(open, compared.stale);
    this.#accounted += expected.length;
    const only = config.mode === 'Verify';
    const present = expected.length - items.length;
    tracker.plan(open, { chunks: expected.length, present, ...(only && { absent: items.length }) });
    return only ? [] : items;
  }

  #unchanged(open: Open, points: readonly Known[]): Item[] {
    for (const { id, mark } of points) this.#note(id, mark.hash);
    this.#accounted += points.length;
    this.#options.tracker.plan(open, { chunks: points.length, present: points.length });
    return [];
  }

  #failed(open: Open, known: readonly Known[], failure: Omit<DocumentFailure, 'path'>): Item[] {
    this.#accounted += known.length;
    this.#options.tracker.unreadable(open, { reason: failure.reason, message: failure.message });
    return [];
  }

  #leave(open: Open, ids: readonly PointId[]): void {
    if (ids.length === 0) return;
    this.#stale.push({ open, ids });
    this.#accounted += ids.length;
  }

  #note(id: PointId, hash: string): void {
    this.#options.sample.add(id);
    if (!this.#hashes.add(hash)) this.#duplicates += 1;
  }
}

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

export const chunkOptions = ({ chunking, maxDocumentBytes }: VectorizeConfig): ChunkOptions => ({
  strategy: chunking.strategy === 'Packages' ? 'Markdown' : chunking.strategy,
  maxTokens: chunking.maxTokens,
  overlapTokens: chunking.overlapTokens,
  maxBytes: maxDocumentBytes ?? MAX_DOCUMENT_BYTES,
});
