import type { BlockContent, DefinitionContent, ListItem, RootContent, Table, TableRow } from 'mdast';
import { rangeOf } from './markdown-syntax.ts';
import type { Node } from './node.ts';

type Block = RootContent | BlockContent | DefinitionContent | ListItem | TableRow;

const LINES: ReadonlySet<string> = new Set(['code', 'html', 'tableRow']);

/** A block as a node of the whole document, which the parsed part begins at `base` of. */
export function markdownNode(block: Block, text: string, base: number): Node {
  const { start, end } = rangeOf(block);
  const range = { start: base + start, end: base + end };
  if (block.type === 'table') return table(block, text, base);
  if (block.type === 'list' || block.type === 'listItem' || block.type === 'blockquote') {
    return { ...range, cut: 'lines', parts: () => block.children.map((child) => markdownNode(child, text, base)) };
  }
  return { ...range, cut: LINES.has(block.type) ? 'lines' : 'prose' };
}

/** Cut between rows; each part is told the header. */
function table(block: Table, text: string, base: number): Node {
  const [header, ...rows] = block.children;
  const { start, end } = rangeOf(block);
  const head = header === undefined ? undefined : rangeOf(header);
  return {
    start: base + start,
    end: base + end,
    cut: 'lines',
    ...(head === undefined ? {} : { scope: text.slice(base + head.start, base + head.end) }),
    parts: () => rows.map((row) => markdownNode(row, text, base)),
  };
}
