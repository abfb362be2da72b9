import type { Node } from './node.ts';

const KEY = /^\s*"((?:[^"\\\n]|\\.){0,128})"\s*:/;
const COMMENTS = /^(?:\s|\/\/[^\n]*\n)*/;

/** The members of the outermost object or list. Comments and what is broken are let pass. */
export const parseJson = (text: string): Node[] => members(text, 0, text.length);

function members(text: string, start: number, end: number): Node[] {
  const nodes: Node[] = [];
  let depth = 0;
  let from = start;
  const close = (to: number): void => {
    if (to > from) nodes.push(member(text, from, to));
    from = to;
  };
  for (let at = start; at < end; ) {
    const character = text[at] ?? '';
    if (character === '{' || character === '[') {
      depth += 1;
      if (depth === 1) from = at + 1;
    } else if (character === '}' || character === ']') {
      depth -= 1;
      if (depth === 0) {
        if (nodes.length > 0 || text.slice(from, at).trim() !== '') close(at);
        break;
      }
    } else if (character === ',' && depth === 1) {
      close(at + 1);
    }
    at = afterToken(text, at, end);
  }
  // Unclosed.
  if (depth > 0) close(end);
  return nodes;
}

/** After a string or a comment, or the next character. */
function afterToken(text: string, at: number, end: number): number {
  const character = text[at];
  if (character === '"') {
    for (let next = at + 1; next < end; next += 1) {
      if (text[next] === '\\') next += 1;
      else if (text[next] === '"' || text[next] === '\n') return next + 1;
    }
    return end;
  }
  if (character !== '/') return at + 1;
  const close = text[at + 1] === '/' ? '\n' : text[at + 1] === '*' ? '*/' : undefined;
  if (close === undefined) return at + 1;
  const found = text.indexOf(close, at + 2);
  return found === -1 ? end : Math.min(end, found + close.length);
}

function member(text: string, start: number, end: number): Node {
  const head = text.slice(start, start + 512);
  const skipped = COMMENTS.exec(head)?.[0].length ?? 0;
  const key = KEY.exec(head.slice(skipped))?.[1];
  return {
    start,
    end,
    cut: 'lines',
    ...(key === undefined || key === '' ? {} : { name: key, scope: key }),
    parts: () => members(text, start, end),
  };
}
