import type { Metadata } from '../document.ts';

/** A piece of the document that is kept whole while it fits into a chunk. Offsets are UTF-16. */
export type Node = {
  readonly start: number;
  readonly end: number;
  /** How it is cut when it fits into no chunk and has no parts. */
  readonly cut: 'prose' | 'lines';
  /** What is inside it, in order; asked for only when it fits into no chunk. */
  readonly parts?: () => readonly Node[];
  /** What its parts are told of it once it is cut: a signature, a table's header. */
  readonly scope?: string;
  /** What it is called; part of the address. */
  readonly name?: string;
};

/** What chunks never go across. The sections of a document are in order and leave nothing out. */
export type Section = {
  readonly start: number;
  readonly end: number;
  /** Where the text begins that is not said by the context already. */
  readonly bodyFrom: number;
  /** Of its chunks that begin with nothing that has a name. */
  readonly address: string;
  /** From the outermost to the innermost. */
  readonly context: readonly string[];
  /** A line that each of its chunks says besides the context. */
  readonly note?: string;
  readonly nodes: readonly Node[];
  readonly metadata: Metadata;
};

/** The nodes with the room between them given to them, so that they leave nothing of [start, end) out. */
export function tile(nodes: readonly Node[], start: number, end: number): Node[] {
  const inside = nodes.filter((node) => node.end > node.start && node.start >= start && node.end <= end);
  const tiles: Node[] = [];
  let from = start;
  for (const [at, node] of inside.entries()) {
    if (node.end <= from && at > 0) continue;
    tiles.push({ ...node, start: from });
    from = node.end;
  }
  const last = tiles.at(-1);
  if (last === undefined) return end > start ? [{ start, end, cut: 'prose' }] : [];
  tiles[tiles.length - 1] = { ...last, end };
  return tiles;
}

/** Gives an address away once; the next who asks gets it with a number. */
export class Addresses {
  readonly #taken = new Map<string, number>();

  take(wanted: string): string {
    const count = (this.#taken.get(wanted) ?? 0) + 1;
    this.#taken.set(wanted, count);
    return count === 1 ? wanted : `${wanted}~${count}`;
  }
}

const SLUG_CHARACTERS = 64;

/** A title as part of an address. */
export function slug(title: string): string {
  const words = title
    .slice(0, 4 * SLUG_CHARACTERS)
    .normalize('NFC')
    .toLowerCase()
    .match(/[\p{L}\p{N}_.]+/gu);
  return words === null ? '_' : words.join('-').slice(0, SLUG_CHARACTERS).toWellFormed();
}
