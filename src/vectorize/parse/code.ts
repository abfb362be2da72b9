import { Parser, type Node as SyntaxNode, type Tree } from 'web-tree-sitter';
import type { Grammars } from './grammars.ts';
import type { Language } from './languages.ts';
import type { Node } from './node.ts';

export type Code = {
  /** What is at the top level; undefined when the parser gave up. Valid until `close`. */
  readonly nodes: readonly Node[] | undefined;
  readonly hasErrors: boolean;
  readonly close: () => void;
};

/** A parse tree takes 20 times the size of its text (measured), in memory that is never given back. */
const LONGEST_CODE = 2 * 1024 * 1024;
/** The parser asks after every 100 steps; real code needs one step per 4 characters or fewer. */
const ASKS_PER_CHARACTER = 0.1;
const MIN_ASKS = 1000;

const NO_TREE: Code = { nodes: undefined, hasErrors: true, close: () => {} };

/** What is at the top level of a source file, down to what the grammar knows. */
export function parseCode(text: string, language: Language, grammars: Grammars): Code {
  const grammar = grammars.get(language);
  if (grammar === undefined || text.length > LONGEST_CODE) return NO_TREE;
  const parser = new Parser();
  try {
    parser.setLanguage(grammar);
    let asks = MIN_ASKS + text.length * ASKS_PER_CHARACTER;
    const progressCallback = (): boolean => {
      asks -= 1;
      return asks < 0;
    };
    const tree: Tree | null = parser.parse(text, null, { progressCallback });
    if (tree === null) return NO_TREE;
    const { rootNode } = tree;
    return { nodes: partsOf(rootNode, text), hasErrors: rootNode.hasError, close: () => tree.delete() };
  } finally {
    parser.delete();
  }
}

/** The named nodes inside one; a comment goes with what it stands above. */
function partsOf(parent: SyntaxNode, text: string): Node[] {
  const parts: Node[] = [];
  let commentStart: number | undefined;
  let commentEnd = 0;
  const flush = (): void => {
    if (commentStart !== undefined) parts.push({ start: commentStart, end: commentEnd, cut: 'lines' });
    commentStart = undefined;
  };
  for (const child of parent.namedChildren) {
    if (commentStart !== undefined && isApart(text, commentEnd, child.startIndex)) flush();
    if (child.type.includes('comment')) {
      commentStart ??= child.startIndex;
      commentEnd = child.endIndex;
    } else {
      parts.push(nodeOf(child, commentStart ?? child.startIndex, text));
      commentStart = undefined;
    }
  }
  flush();
  return parts;
}

/** An empty line between. */
function isApart(text: string, from: number, to: number): boolean {
  const newline = text.indexOf('\n', from);
  const next = newline === -1 ? -1 : text.indexOf('\n', newline + 1);
  return next !== -1 && next < to;
}

function nodeOf(node: SyntaxNode, start: number, text: string): Node {
  const definition = definitionOf(node);
  return {
    start,
    end: node.endIndex,
    cut: 'lines',
    // What stands before the first part of a body, the signature, becomes part of it.
    parts: () => partsOf(definition?.body ?? node, text),
    ...(definition === undefined ? {} : { name: definition.name, scope: signature(node, definition.body, text) }),
  };
}

type Definition = { readonly name: string; readonly body: SyntaxNode };

const WRAPPERS = ['declaration', 'definition', 'value'];
const CONTROL = /statement$|loop|_clause$/;
const MOST_WRAPPERS = 4;

/** What has a body and a name, by the names that the grammars give their fields, also inside `export` or a decorator. */
function definitionOf(node: SyntaxNode): Definition | undefined {
  let name: SyntaxNode | null = null;
  let inner: SyntaxNode | null = node;
  for (let level = 0; inner !== null && level < MOST_WRAPPERS; level += 1) {
    if (CONTROL.test(inner.type) && inner.type !== 'export_statement') return undefined;
    name ??= inner.childForFieldName('name') ?? inner.childForFieldName('declarator');
    const body = inner.childForFieldName('body');
    if (body !== null) {
      const named = name ?? inner.childForFieldName('type');
      return named === null ? undefined : { name: nameOf(named), body };
    }
    inner = wrapped(inner);
  }
  return undefined;
}

function wrapped(node: SyntaxNode): SyntaxNode | null {
  for (const field of WRAPPERS) {
    const child = node.childForFieldName(field);
    if (child !== null) return child;
  }
  if (node.type === 'type_declaration') return node.namedChild(0);
  return node.type === 'lexical_declaration' && node.namedChildCount === 1 ? node.namedChild(0) : null;
}

const LONGEST_NAME = 64;
const nameOf = (node: SyntaxNode): string =>
  (/[\p{L}_$][\p{L}\p{N}_$:]*/u.exec(node.text.slice(0, 256))?.[0] ?? '_').slice(0, LONGEST_NAME).toWellFormed();

const LONGEST_SIGNATURE = 160;

/** What stands before the body. */
function signature(node: SyntaxNode, body: SyntaxNode, text: string): string {
  const head = text.slice(node.startIndex, body.startIndex).slice(0, LONGEST_SIGNATURE).toWellFormed();
  return head
    .replace(/\s+/g, ' ')
    .replace(/(?:\{|:|=>|=)?\s*$/, '')
    .trim();
}
