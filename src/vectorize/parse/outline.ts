import type { Metadata } from '../document.ts';
import { Addresses, type Node, type Section, slug } from './node.ts';

type Heading = { readonly depth: number; readonly title: string; readonly address: string };

/** What a section is besides its place: the heading path by default. */
export type Title = {
  readonly address: string;
  readonly context: readonly string[];
  readonly note?: string;
  readonly metadata: Metadata;
};

/** Collects sections in the order of the document, so that they leave nothing out. */
export class Outline {
  readonly sections: Section[] = [];
  readonly #addresses = new Addresses();
  #headings: Heading[] = [];
  #title: Title = { address: '', context: [], metadata: {} };
  #nodes: Node[] = [];
  #start: number;
  #bodyFrom: number;

  constructor(start: number) {
    this.#start = start;
    this.#bodyFrom = start;
    this.#title = this.#ofHeadings();
  }

  /** Headings from the outermost to the innermost. */
  get context(): string[] {
    return this.#headings.map(({ title }) => title);
  }

  get address(): string {
    return this.#headings.at(-1)?.address ?? '';
  }

  take(address: string): string {
    return this.#addresses.take(address);
  }

  add(node: Node): void {
    this.#nodes.push(node);
  }

  /** A heading with nothing but deeper headings below it begins the section of the first of these. */
  heading({ start, end }: { start: number; end: number }, depth: number, title: string): void {
    const isBare = this.#nodes.length === 0 && this.#headings.length > 0 && depth > (this.#headings.at(-1)?.depth ?? 0);
    if (!isBare) this.#close(start);
    this.#headings = this.#headings.filter((heading) => heading.depth < depth);
    const parent = this.address;
    const address = this.take(parent === '' ? slug(title) : `${parent}/${slug(title)}`);
    this.#headings.push({ depth, title, address });
    this.#title = this.#ofHeadings();
    this.#bodyFrom = end;
  }

  /** What follows has an address of its own; a heading with nothing below it begins its first section. */
  begin(start: number, title: Title = this.#ofHeadings()): void {
    if (this.#nodes.length > 0) this.#close(start);
    this.#title = title;
  }

  finish(end: number): Section[] {
    this.#close(end);
    return this.sections;
  }

  #ofHeadings(): Title {
    return { address: this.address, context: this.context, metadata: { kind: 'section', headings: this.context } };
  }

  #close(end: number): void {
    if (end > this.#start) {
      const bodyFrom = Math.max(this.#start, this.#bodyFrom);
      this.sections.push({ start: this.#start, end, bodyFrom, nodes: this.#nodes, ...this.#title });
    }
    this.#start = end;
    this.#bodyFrom = end;
    this.#nodes = [];
  }
}
