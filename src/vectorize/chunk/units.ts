import { type Node, type Section, tile } from '../parse/node.ts';
import type { Tokenizer } from '../tokenizer.ts';
import type { Heads } from './context.ts';
import { lineParts, proseParts } from './split.ts';

/** The least that is moved between chunks: it fits into one, and the units of a section leave nothing out. */
export type Unit = {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
  /** What encloses it, beyond the section's context. */
  readonly scopes: readonly string[];
  /** How many of the innermost scopes begin with this unit: its own text tells of them. */
  readonly opens: number;
  /** Names of what encloses it, and its own. */
  readonly names: readonly string[];
};

export type UnitOptions = {
  readonly text: string;
  readonly tokenizer: Tokenizer;
  readonly heads: Heads;
  readonly maxTokens: number;
};

type Around = Pick<Unit, 'scopes' | 'opens' | 'names'> & { readonly depth: number };

/** Structure nested deeper than this is cut by lines: only what is made to break parsers is. */
const MAX_DEPTH = 100;

/** Split, top down: whatever fits into a chunk stays whole. */
export function unitsOf(section: Section, options: UnitOptions): Unit[] {
  const { text, tokenizer, heads, maxTokens } = options;
  const units: Unit[] = [];

  const add = (node: Node, around: Around): void => {
    const room = maxTokens - heads.of([...section.context, ...around.scopes], section.note).tokens;
    const names = node.name === undefined ? around.names : [...around.names, node.name];
    const tokens = tokenizer.count(text.slice(node.start, node.end), room);
    if (tokens <= room) {
      units.push({ start: node.start, end: node.end, tokens, scopes: around.scopes, opens: around.opens, names });
      return;
    }
    const scopes = node.scope === undefined ? around.scopes : [...around.scopes, node.scope];
    const opening = around.opens + (node.scope === undefined ? 0 : 1);
    const opensAt = (part: number): number => (part === 0 ? opening : 0);
    const parts = around.depth < MAX_DEPTH ? (node.parts?.() ?? []) : [];
    if (parts.length > 0) {
      for (const [at, part] of tile(parts, node.start, node.end).entries())
        add(part, { scopes, opens: opensAt(at), names, depth: around.depth + 1 });
      return;
    }
    const inner = maxTokens - heads.of([...section.context, ...scopes], section.note).tokens;
    const split = node.cut === 'lines' ? lineParts : proseParts;
    for (const [at, { start, end }] of split(text, node, { tokenizer, room: inner }).entries()) {
      units.push({ start, end, tokens: tokenizer.count(text.slice(start, end)), scopes, opens: opensAt(at), names });
    }
  };

  const whole = tile(section.nodes, section.bodyFrom, section.end);
  for (const node of whole) add(node, { scopes: [], opens: 0, names: [], depth: 0 });
  return units;
}
