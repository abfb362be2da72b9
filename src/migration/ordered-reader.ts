import type { Point, PointId } from '../qdrant/types.ts';
import { idFrom, type Position, positionOf } from './ranges.ts';
import type { Page, Side } from './side.ts';

/** All points of one id: more than one only where shard keys are used, for an id may stand under several. */
export type Group = { readonly position: Position; readonly points: readonly Point[] };

type Pending = { readonly promise: Promise<Page> };

/** Reads a collection in the order of ids, a page ahead of who uses it. */
export class OrderedReader {
  readonly #side: Side;
  readonly #pageSize: number;
  #points: readonly Point[] = [];
  #at = 0;
  /** Everything from here to `#next` (to the end when that is undefined) has been read and not been given away. */
  #from: Position | undefined;
  #next: PointId | undefined;
  #ahead: Pending | undefined;

  constructor(side: Side, pageSize: number) {
    this.#side = side;
    this.#pageSize = pageSize;
  }

  /** Goes on with the first point at or after `position`; what is read already is not read again. */
  seek(position: Position): void {
    const begun = this.#from !== undefined && this.#from <= position;
    if (begun && (this.#next === undefined || position <= positionOf(this.#next))) {
      while (this.#current !== undefined && positionOf(this.#current.id) < position) this.#at += 1;
      this.#from = position;
      return;
    }
    this.#points = [];
    this.#at = 0;
    this.#from = position;
    this.#next = idFrom(position);
    this.#ahead = undefined;
  }

  /** The next id's points, without taking them; undefined at the end. */
  async peek(): Promise<Group | undefined> {
    while (this.#current === undefined && this.#next !== undefined) await this.#fill();
    const first = this.#current;
    if (first === undefined) return undefined;
    const position = positionOf(first.id);
    let end = this.#groupEnd(position);
    // The rest of the id's points may stand on the next page, which then begins with all of them again.
    if (end === this.#points.length && this.#next !== undefined && positionOf(this.#next) === position) {
      const rest = await this.#take();
      this.#points = [...this.#points.slice(0, this.#at), ...rest.points];
      end = this.#groupEnd(position);
    }
    return { position, points: this.#points.slice(this.#at, end) };
  }

  /** Takes what `peek` gave. */
  skip(group: Group): void {
    this.#at += group.points.length;
    this.#from = group.position + 1n;
  }

  get #current(): Point | undefined {
    return this.#points[this.#at];
  }

  #groupEnd(position: Position): number {
    let end = this.#at;
    while (end < this.#points.length && positionOf(this.#points[end]?.id ?? 0) === position) end += 1;
    return end;
  }

  async #fill(): Promise<void> {
    const page = await this.#take();
    this.#points = page.points;
    this.#at = 0;
  }

  async #take(): Promise<Page> {
    const page = await (this.#ahead ?? this.#fetch(this.#next)).promise;
    this.#next = page.nextOffset;
    this.#ahead = page.nextOffset === undefined ? undefined : this.#fetch(page.nextOffset);
    return page;
  }

  #fetch(offset: PointId | undefined): Pending {
    const promise = this.#side.page(offset, this.#pageSize);
    // Who seeks elsewhere never awaits it: its failure is then nobody's.
    promise.catch(() => {});
    return { promise };
  }
}
