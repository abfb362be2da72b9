import type { Node } from './node.ts';

const NAME = '((?:["`[]?[\\w$-]+["`\\]]?\\.){0,2}["`[]?[\\w$-]+["`\\]]?)';
const CREATE = new RegExp(
  `^(?:create|alter)\\s+(?:or\\s+replace\\s+)?(?:(?:global|local|temp|temporary|unlogged|unique|materialized)\\s+){0,3}` +
    `(table|view|index|function|procedure|trigger|type|schema|sequence|policy|domain|extension)\\s+` +
    `(?:concurrently\\s+)?(?:if\\s+(?:not\\s+)?exists\\s+)?(?:only\\s+)?${NAME}`,
  'i',
);

/** Statements, with the comments above them; what creates something is called after it. */
export function parseSql(text: string): Node[] {
  const nodes: Node[] = [];
  let start = 0;
  for (let at = 0; at < text.length; ) {
    const ends = text[at] === ';';
    at = afterToken(text, at);
    if (ends || at >= text.length) {
      nodes.push(statement(text, start, at));
      start = at;
    }
  }
  return nodes;
}

function statement(text: string, start: number, end: number): Node {
  let at = start;
  while (at < end && (text[at]?.trim() === '' || isComment(text, at))) at = afterToken(text, at);
  const head = text.slice(at, Math.min(end, at + 512));
  const match = CREATE.exec(head);
  if (match === null) return { start, end, cut: 'lines' };
  const kind = match[1]?.toLowerCase() ?? '';
  const name = match[2]?.replace(/["`[\]]/g, '') ?? '';
  return { start, end, cut: 'lines', name: `${kind}:${name}`, scope: match[0].replace(/\s+/g, ' ') };
}

const isComment = (text: string, at: number): boolean => text.startsWith('--', at) || text.startsWith('/*', at);

/** After a quoted text, a comment or a dollar-quoted body, or the next character. An unclosed one goes to the end. */
function afterToken(text: string, at: number): number {
  const character = text[at] ?? '';
  if (character === "'" || character === '"' || character === '`') return after(text, character, at + 1);
  if (text.startsWith('--', at)) return after(text, '\n', at);
  if (text.startsWith('/*', at)) return after(text, '*/', at + 2);
  const tag = character === '$' ? /^\$[A-Za-z_]{0,32}\$/.exec(text.slice(at, at + 40))?.[0] : undefined;
  return tag === undefined ? at + 1 : after(text, tag, at + tag.length);
}

function after(text: string, close: string, from: number): number {
  const found = text.indexOf(close, from);
  return found === -1 ? text.length : found + close.length;
}
