import { type Counts, type DocumentFailure, MOST_FAILURES, PASSING_FAILURES } from '../progress.ts';

/** A document until all of it is done. */
export type Open = {
  readonly path: string;
  chunks: number;
  /** Points that are on their way. */
  pending: number;
  /** Whether all of its points are known. */
  planned: boolean;
  failed: boolean;
};

const MESSAGE_CHARACTERS = 1000;

/** What became of the documents of one pass, in the order of the listing. */
export class Tracker {
  readonly #open: Open[] = [];
  readonly #failures: DocumentFailure[] = [];
  /** What earlier pods of the run embedded: this pass finds it in the target. */
  readonly #before: Pick<Counts, 'embedded' | 'tokens' | 'deleted'>;
  #done = { documents: 0, chunks: 0, failed: 0 };
  #embedded = 0;
  #present = 0;
  #deleted = 0;
  #cursor: string | undefined;
  #again = false;

  constructor(before: Pick<Counts, 'embedded' | 'tokens' | 'deleted'>) {
    this.#before = before;
  }

  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Whether a document failed for a reason that may pass. */
  get again(): boolean {
    return this.#again;
  }

  get failures(): readonly DocumentFailure[] {
    return this.#failures;
  }

  counts(tokens: number): Counts {
    const { documents, chunks, failed } = this.#done;
    const { embedded, tokens: paid, deleted } = this.#before;
    return {
      documents,
      chunks,
      embedded: embedded + this.#embedded,
      reused: Math.max(0, this.#present - embedded),
      deleted: deleted + this.#deleted,
      failed,
      tokens: paid + tokens,
    };
  }

  begin(path: string): Open {
    const open: Open = { path, chunks: 0, pending: 0, planned: false, failed: false };
    this.#open.push(open);
    return open;
  }

  /** All points of the document are known; those that are `present` are there, and those `absent` are left so. */
  plan(open: Open, { chunks, present, absent = 0 }: { chunks: number; present: number; absent?: number }): void {
    open.chunks = chunks;
    open.pending += chunks - present - absent;
    open.planned = true;
    this.#present += present;
    this.#advance();
  }

  /** One of its points can be read. `embedded`: by the endpoint, and not by an equal text. */
  stored(open: Open, embedded: boolean): void {
    if (embedded) this.#embedded += 1;
    else this.#present += 1;
    open.pending -= 1;
    this.#advance();
  }

  /** One of its points is not there for a reason of its own. */
  refused(open: Open, failure: Omit<DocumentFailure, 'path'>): void {
    this.#fail(open, failure);
    open.pending -= 1;
    this.#advance();
  }

  /** Nothing of it can be read. */
  unreadable(open: Open, failure: Omit<DocumentFailure, 'path'>): void {
    this.#fail(open, failure);
    open.planned = true;
    this.#advance();
  }

  deleted(points: number): void {
    this.#deleted += points;
  }

  #fail(open: Open, { reason, message }: Omit<DocumentFailure, 'path'>): void {
    if (open.failed) return;
    open.failed = true;
    this.#again ||= PASSING_FAILURES.has(reason);
    this.#done.failed += 1;
    if (this.#failures.length >= MOST_FAILURES) return;
    const path = open.path.slice(0, MESSAGE_CHARACTERS).toWellFormed();
    this.#failures.push({ path, reason, message: message.slice(0, MESSAGE_CHARACTERS).toWellFormed() });
  }

  #advance(): void {
    for (;;) {
      const [first] = this.#open;
      if (first === undefined || !first.planned || first.pending > 0) return;
      this.#open.shift();
      this.#cursor = first.path;
      this.#done.documents += 1;
      this.#done.chunks += first.chunks;
    }
  }
}
