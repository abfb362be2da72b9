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
  const units = unitsOf(section, options).filter(({ start, end }) => !isBlank(options.text, start, end));
  const first = units[0];
  if (first === undefined) return titleOnly(section, options);
  const pieces: Piece[] = [];
  for (let from = 0; from < units.length; ) {
    const head = options.heads.of([...section.context, ...toldOf(units[from])], section.note);
    const to = lastThatFits(units, from, options.maxTokens - head.tokens);
    const made = build({ section, options, units, from, to, head: head.text });
    pieces.push(...made.pieces);
    from = made.next;
  }
  // What stands before the text of a section, its heading, is part of its first piece.
  const opening = pieces[0];
  if (opening !== undefined) pieces[0] = { ...opening, start: section.start };
  return pieces.map((piece) => ({ ...piece, ...trimmed(options.text, piece) }));
}

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
  readonly section: Section;
  readonly options: PackOptions;
  readonly units: readonly Unit[];
  readonly from: number;
  readonly to: number;
  readonly head: string;
};

/** Tokens of a whole may be more than those of its parts together: what is too long by that gives up overlap, then units. */
function build({ section, options, units, from, to, head }: Building): { pieces: Piece[]; next: number } {
  const { text, tokenizer, maxTokens } = options;
  const first = units[from];
  if (first === undefined) return { pieces: [], next: to };
  const attempt = (start: number, end: number, said = head): Piece | undefined => {
    const whole = compose(said, text.slice(start, end));
    const tokens = tokenizer.count(whole, maxTokens);
    const { scopes, names } = first;
    return tokens > maxTokens ? undefined : { start, end, text: whole, tokens, scopes, names };
  };
  const end = units[to - 1]?.end ?? first.end;
  const repeated = overlapStart(units, { from, to, room: maxTokens - tokenizer.count(head), options });
  const whole = (repeated < first.start ? attempt(repeated, end) : undefined) ?? attempt(first.start, end);
  if (whole !== undefined) return { pieces: [whole], next: to };
  if (to - from > 1) return build({ section, options, units, from, to: to - 1, head });
  return { pieces: halves(text, first, attempt), next: to };
}

/** A single unit over the budget by a token or two. */
function halves(
  text: string,
  { start, end }: Unit,
  attempt: (start: number, end: number, said?: string) => Piece | undefined,
): Piece[] {
  const room = Math.ceil((end - start) / 2);
  const byCharacters = { name: 'characters', count: (part: string) => part.length };
  return tokenParts(text, { start, end }, { tokenizer: byCharacters, room }).flatMap((part) => {
    const piece = attempt(part.start, part.end) ?? attempt(part.start, part.end, '');
    return piece === undefined ? [] : [piece];
  });
}

type OverlapOptions = {
  readonly from: number;
  readonly to: number;
  readonly room: number;
  readonly options: PackOptions;
};

/** Where a piece begins that repeats what it may of the one before: whole units, inside the same enclosing definitions. */
function overlapStart(units: readonly Unit[], { from, to, room, options: { overlapTokens } }: OverlapOptions): number {
  let used = 0;
  for (let at = from; at < to; at += 1) used += units[at]?.tokens ?? 0;
  const limit = Math.min(overlapTokens, room - used);
  const first = units[from];
  let start = first?.start ?? 0;
  let repeated = 0;
  for (let at = from - 1; at >= 0; at -= 1) {
    const unit = units[at];
    if (unit === undefined || repeated + unit.tokens > limit) break;
    if (unit.scopes.length !== first?.scopes.length) break;
    repeated += unit.tokens;
    start = unit.start;
  }
  return start;
}

function compose(head: string, body: string): string {
  const trimmed = body.replace(/^(?:[ \t]*\r?\n)+/, '').trimEnd();
  return head === '' ? trimmed : `${head}\n\n${trimmed}`;
}

function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (text[at]?.trim() !== '') return false;
  return true;
}
