import type { Node } from './node.ts';

type Line = { readonly start: number; readonly end: number; readonly indent: number };

const KEY =
  /^(?:-[ \t]+)?(?:"([^"\n]{1,128})"|'([^'\n]{1,128})'|([^\s#:'"[\]{},&*!|>%@`-][^:#\n]{0,127}?))[ \t]*:(?:\s|$)/;

/** What is at the top level of a configuration file that nests by indentation: YAML, with comments above what they belong to. */
export const parseYaml = (text: string): Node[] => entries(text, linesOf(text, 0, text.length));

/** The lines of the least indentation, each with what is indented further below it. */
function entries(text: string, lines: readonly Line[]): Node[] {
  const said = lines.filter((line) => isSaid(text, line));
  const indent = said.reduce((least, line) => Math.min(least, line.indent), Number.POSITIVE_INFINITY);
  const nodes: Node[] = [];
  let from = 0;
  let begun = false;
  for (const [at, line] of lines.entries()) {
    const begins = line.indent === indent && isSaid(text, line);
    if (begins && begun) {
      const cut = commentsAbove(text, lines, { from, at });
      nodes.push(entry(text, lines.slice(from, cut)));
      from = cut;
    }
    begun ||= begins;
  }
  if (from < lines.length) nodes.push(entry(text, lines.slice(from)));
  return nodes;
}

/** Neither blank nor a comment. */
function isSaid(text: string, { start, end, indent }: Line): boolean {
  const first = text[start + indent] ?? '\n';
  return start + indent < end && first.trim() !== '' && first !== '#';
}

type Bounds = { readonly from: number; readonly at: number };

function commentsAbove(text: string, lines: readonly Line[], { from, at }: Bounds): number {
  let cut = at;
  while (cut - 1 > from) {
    const above = lines[cut - 1];
    if (above === undefined || text[above.start + above.indent] !== '#') break;
    cut -= 1;
  }
  return cut;
}

function entry(text: string, lines: readonly Line[]): Node {
  const [start, end] = [lines[0]?.start ?? 0, lines.at(-1)?.end ?? 0];
  const head = lines.findIndex((line) => isSaid(text, line));
  const first = lines[head];
  const match = first === undefined ? null : KEY.exec(text.slice(first.start + first.indent, first.start + 512));
  const name = match?.[1] ?? match?.[2] ?? match?.[3]?.trim();
  return {
    start,
    end,
    cut: 'lines',
    ...(name === undefined || name === '' ? {} : { name, scope: name }),
    parts: () => entries(text, lines.slice(head + 1)),
  };
}

function linesOf(text: string, start: number, end: number): Line[] {
  const lines: Line[] = [];
  for (let from = start; from < end; ) {
    const newline = text.indexOf('\n', from);
    const to = newline === -1 || newline >= end ? end : newline + 1;
    let indent = 0;
    while (text[from + indent] === ' ' && from + indent < to) indent += 1;
    lines.push({ start: from, end: to, indent });
    from = to;
  }
  return lines;
}
