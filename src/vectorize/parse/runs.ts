import type { Metadata } from '../document.ts';
import { Addresses, type Node, type Section, tile } from './node.ts';

export type RunOptions = {
  /** What is longer is a section of its own; what is between such ones is one together. */
  readonly large: number;
  readonly metadata: Metadata;
};

/** Sections of a document without headings, such that an edit reaches no further than the next large node. */
export function sectionsOfRuns(text: string, nodes: readonly Node[], { large, metadata }: RunOptions): Section[] {
  const addresses = new Addresses();
  const sections: Section[] = [];
  let run: Node[] = [];
  let before: string | undefined;
  const close = (): void => {
    const [first, last] = [run[0], run.at(-1)];
    if (first === undefined || last === undefined) return;
    const address = addresses.take(before === undefined ? '_' : `after:${before}`);
    const { start } = first;
    sections.push({ start, end: last.end, bodyFrom: start, address, context: [], nodes: run, metadata });
    before = run.findLast(({ name }) => name !== undefined)?.name ?? before;
    run = [];
  };
  for (const node of tile(nodes, 0, text.length)) {
    const isLarge = node.end - node.start > large;
    if (isLarge) close();
    run.push(node);
    if (isLarge) close();
  }
  close();
  return sections;
}
