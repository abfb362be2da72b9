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
  const close = (): void => {
    const [first, last] = [run[0], run.at(-1)];
    if (first === undefined || last === undefined) return;
    // The names inside follow: a section is called after what it begins with only where it is cut no further.
    const address = addresses.take(run.find(({ name }) => name !== undefined)?.name ?? '_');
    const plain = run.map(withoutName);
    const { start } = first;
    sections.push({ start, end: last.end, bodyFrom: start, address, context: [], nodes: plain, metadata });
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

function withoutName({ start, end, cut, parts, scope }: Node): Node {
  return { start, end, cut, ...(parts === undefined ? {} : { parts }), ...(scope === undefined ? {} : { scope }) };
}
