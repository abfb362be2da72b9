import type { PointId } from '../../qdrant/index.ts';
import { type ChunkTools, chunkDocument } from '../chunk.ts';
import type { VectorizeConfig } from '../config.ts';
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
  readonly tools: ChunkTools;
  readonly making: Making;
  readonly shape: Shape;
  readonly tracker: Tracker;
  readonly sample: Sample<PointId>;
  /** Where points are looked at one by one. */
  readonly findings: Findings | undefined;
};

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

  /** What must be done for a document. */
  needs(seen: Seen): Item[] {
    const { tracker, making } = this.#options;
    const open = tracker.begin(seen.path);
    this.#documents.add(seen.path);
    const { known } = seen;
    if (seen.failure !== undefined) return this.#failed(open, known, seen.failure);
    const { content } = seen;
    if (content === undefined) return this.#unchanged(open, known);
    const present = presentAt(revisionOf(content, making), making.job, known);
    if (present.whole && this.#options.findings === undefined) {
      this.#leave(open, present.stale);
      return this.#unchanged(open, present.points);
    }
    try {
      return this.#planned(open, this.#expected(seen.path, content), seen);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      if (error.reason !== 'Empty') return this.#failed(open, known, { reason: error.reason, message: error.message });
      return this.#planned(open, [], seen);
    }
  }

  #expected(path: string, content: Content): Expected[] {
    const { config, tools, making } = this.#options;
    const { bytes, mediaType } = content;
    const document = { source: making.source, path, bytes, ...(mediaType === undefined ? {} : { mediaType }) };
    return expectedPoints(content, chunkDocument(document, chunkOptions(config), tools), making);
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
