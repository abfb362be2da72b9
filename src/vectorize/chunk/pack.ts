import type { Section } from '../parse/node.ts';
import { type Range, tokenParts } from './split.ts';
import { type Unit, type UnitOptions, unitsOf } from './units.ts';

/** A chunk before it has an id. Offsets are UTF-16. */
export type Piece = {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly tokens: number;
  readonly scopes: readonly string[];
  readonly names: readonly string[];
};

export type PackOptions = UnitOptions & { readonly overlapTokens: number };

/** Merge, left to right: as many units as fit, each piece with the end of the one before while there is room. */
export function packSection(section: Section, options: PackOptions): Piece[] {
  const whole = wholeSection(section, options);
  if (whole !== undefined) return [{ ...whole, ...trimmed(options.text, whole) }];
  const units = unitsOf(section, options).filter(({ start, end }) => !isBlank(options.text, start, end));
  const first = units[0];
  if (first === undefined)
    return titleOnly(section, options).map((piece) => ({ ...piece, ...trimmed(options.text, piece) }));
  const pieces: Piece[] = [];
  for (let from = 0; from < units.length; ) {
    const head = options.heads.of([...section.context, ...toldOf(units[from])], section.note);
    const room = options.maxTokens - head.tokens;
    const overlap = overlapBefore(units, from, { room, options });
    const to = lastThatFits(units, from, room - overlap.tokens);
    const made = build({ options, units, from, to, head: head.text, repeated: overlap.start });
    pieces.push(...made.pieces);
    from = made.next;
  }
  // What stands before the text of a section, its heading, is part of its first piece.
  const opening = pieces[0];
  if (opening !== undefined) pieces[0] = { ...opening, start: section.start };
  return pieces.map((piece) => ({ ...piece, ...trimmed(options.text, piece) }));
}

/** Most sections fit: their tokens are counted once, not by unit and again. */
function wholeSection(
  { start, end, bodyFrom, context, note, nodes }: Section,
  options: PackOptions,
): Piece | undefined {
  const { text, heads, tokenizer, maxTokens } = options;
  if (end - bodyFrom > maxTokens * MOST_CHARACTERS_PER_TOKEN || isBlank(text, bodyFrom, end)) return undefined;
  const said = compose(heads.of(context, note).text, text.slice(bodyFrom, end));
  const tokens = tokenizer.count(said, maxTokens);
  const name = nodes[0]?.name;
  return tokens > maxTokens
    ? undefined
    : { start, end, text: said, tokens, scopes: [], names: name === undefined ? [] : [name] };
}

const MOST_CHARACTERS_PER_TOKEN = 16;

/** What encloses a unit and is not in its own text. */
const toldOf = (unit: Unit | undefined): readonly string[] =>
  unit === undefined ? [] : unit.scopes.slice(0, unit.scopes.length - unit.opens);

/** Without blank lines before and blanks after. */
function trimmed(text: string, { start, end }: Range): Range {
  let [from, to] = [start, end];
  for (let at = start; at < end && text[at]?.trim() === ''; at += 1) if (text[at] === '\n') from = at + 1;
  while (to > from && text[to - 1]?.trim() === '') to -= 1;
  return { start: from, end: to };
}

function titleOnly(section: Section, { text, heads, tokenizer, maxTokens }: PackOptions): Piece[] {
  if (isBlank(text, section.start, section.end)) return [];
  const said = heads.of(section.context, section.note).text;
  const own = said === '' ? text.slice(section.start, section.end).trim() : said;
  const by = { tokenizer, room: maxTokens };
  return tokenParts(own, { start: 0, end: own.length }, by)
    .slice(0, 1)
    .map(({ end }) => ({
      start: section.start,
      end: section.end,
      text: own.slice(0, end),
      tokens: tokenizer.count(own.slice(0, end)),
      scopes: [],
      names: [],
    }));
}

/** The unit after the last that fits. A piece that is half full ends where a definition ends. */
function lastThatFits(units: readonly Unit[], from: number, room: number): number {
  const depth = units[from]?.scopes.length ?? 0;
  let tokens = units[from]?.tokens ?? 0;
  let to = from + 1;
  for (; to < units.length; to += 1) {
    const next = units[to];
    if (next === undefined || tokens + next.tokens > room) break;
    if (tokens > room / 2 && next.scopes.length < depth) break;
    tokens += next.tokens;
  }
  return to;
}

type Building = {
  readonly options: PackOptions;
  readonly units: readonly Unit[];
  readonly from: number;
  readonly to: number;
  readonly head: string;
  /** Where what is repeated of the piece before begins. */
  readonly repeated: number;
};

/** Tokens of a whole may be more than those of its parts together: what is too long by that gives up overlap, then units. */
function build({ options, units, from, to, head, repeated }: Building): { pieces: Piece[]; next: number } {
  const { text, tokenizer, maxTokens } = options;
  const first = units[from];
  if (first === undefined) return { pieces: [], next: to };
  const attempt: Attempt = (start, end, said = head) => {
    const whole = compose(said, text.slice(start, end));
    const tokens = tokenizer.count(whole, maxTokens);
    const { scopes, names } = first;
    return tokens > maxTokens ? undefined : { start, end, text: whole, tokens, scopes, names };
  };
  const end = units[to - 1]?.end ?? first.end;
  const whole = (repeated < first.start ? attempt(repeated, end) : undefined) ?? attempt(first.start, end);
  if (whole !== undefined) return { pieces: [whole], next: to };
  if (to - from > 1) return build({ options, units, from, to: to - 1, head, repeated });
  return { pieces: halves(text, first, attempt), next: to };
}

/** A single unit over the budget by a token or two: in halves until they fit, at last without the head. */
function halves(text: string, { start, end }: Range, attempt: Attempt): Piece[] {
  const room = Math.ceil((end - start) / 2);
  const parts = tokenParts(text, { start, end }, { tokenizer: CHARACTERS, room });
  return parts.flatMap((part) => {
    if (isBlank(text, part.start, part.end)) return [];
    const piece = attempt(part.start, part.end) ?? attempt(part.start, part.end, '');
    if (piece !== undefined) return [piece];
    if (part.end - part.start === end - start)
      throw new RangeError('a character has more tokens than a chunk may have');
    return halves(text, part, attempt);
  });
}

type Attempt = (start: number, end: number, said?: string) => Piece | undefined;
const CHARACTERS = { name: 'characters', count: (part: string): number => part.length };

type OverlapOptions = { readonly room: number; readonly options: PackOptions };

/** Whole units before a piece that it repeats, of the same enclosing definitions; they leave half of the room to what is new. */
function overlapBefore(units: readonly Unit[], from: number, { room, options }: OverlapOptions): Overlap {
  const { text, tokenizer, overlapTokens } = options;
  const first = units[from];
  if (first === undefined || overlapTokens === 0) return { start: first?.start ?? 0, tokens: 0 };
  const limit = Math.min(overlapTokens, room / 2, room - first.tokens);
  let overlap: Overlap = { start: first.start, tokens: 0 };
  for (let at = from - 1; at >= 0; at -= 1) {
    const unit = units[at];
    if (unit === undefined || unit.scopes.length !== first.scopes.length) break;
    if (overlap.tokens + unit.tokens > limit) break;
    const tokens = tokenizer.count(text.slice(unit.start, first.start), limit);
    if (tokens > limit) break;
    overlap = { start: unit.start, tokens };
  }
  return overlap;
}

type Overlap = { readonly start: number; readonly tokens: number };

function compose(head: string, body: string): string {
  const trimmed = body.replace(/^(?:[ \t]*\r?\n)+/, '').trimEnd();
  return head === '' ? trimmed : `${head}\n\n${trimmed}`;
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (text[at]?.trim() !== '') return false;
  return true;
}
