/** What is parsed at a time: a Markdown parser takes 200 times the size of its input (measured). */
export type Segment = {
  readonly start: number;
  readonly end: number;
  /** `markdown` is for the parser; what is not is taken as it stands: the lines of a long fence, or text. */
  readonly kind: 'markdown' | 'lines' | 'prose';
};

const WANTED_CHARACTERS = 8 * 1024;
const LONG_FENCE = 32 * 1024;
const MOST_CHARACTERS = 128 * 1024;
/** Parsing takes time in the square of a paragraph's lines (measured). */
const LONG_PARAGRAPH = 16 * 1024;
const LONGEST_LINE = 16 * 1024;
/** List and quote marks before the text of one line; parsing takes time in their square (measured). */
const MOST_MARKS = 32;
const FENCE_MARKS = 3;

type Fence = { readonly mark: string; readonly length: number; readonly start: number };

/** Cuts a document where no block goes across: at headings, list items and after blank lines outside of fences. */
export function markdownSegments(text: string, from: number): Segment[] {
  const segments: Segment[] = [];
  let start = from;
  let fence: Fence | undefined;
  let afterBlank = true;

  const close = (end: number, kind: Segment['kind'] = 'markdown'): void => {
    if (end > start) segments.push({ start, end, kind });
    start = end;
  };

  for (let at = from; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline + 1;
    const { content, marks } = prefix(text, at, end);
    if (fence === undefined && (end - at > LONGEST_LINE || marks > MOST_MARKS)) {
      close(at);
      close(end, 'prose');
    } else if (fence === undefined) {
      const length = at - start;
      const safe = isSafe(text, at, { marks, afterBlank });
      const isProse = marks === 0 && isOutermost(text[at]);
      const most = isProse ? LONG_PARAGRAPH : MOST_CHARACTERS;
      if (length > (safe ? WANTED_CHARACTERS : most)) close(at);
      fence = fenceAt(text, content, at);
    } else if (closes(text, { content, end }, fence)) {
      if (end - fence.start > LONG_FENCE) {
        close(fence.start);
        close(end, 'lines');
      }
      fence = undefined;
    }
    afterBlank = content === end || text.slice(content, end).trim() === '';
    at = end;
  }
  if (fence !== undefined && text.length - fence.start > LONG_FENCE) {
    close(fence.start);
    close(text.length, 'lines');
  }
  close(text.length);
  return segments;
}

type Line = { readonly content: number; readonly end: number };
type Place = { readonly marks: number; readonly afterBlank: boolean };

function isSafe(text: string, at: number, { marks, afterBlank }: Place): boolean {
  const first = text[at] ?? '';
  if (first.trim() === '') return false;
  return afterBlank || first === '#' || (marks > 0 && first !== '>');
}

/** Neither indented nor of a table. */
const isOutermost = (first: string | undefined): boolean => first !== undefined && first !== '|' && first.trim() !== '';

/** Where the text of a line begins after blanks, quote and list marks. */
function prefix(text: string, start: number, end: number): { content: number; marks: number } {
  let marks = 0;
  let at = start;
  for (;;) {
    while (at < end && (text[at] === ' ' || text[at] === '\t')) at += 1;
    const width = markWidth(text, at);
    if (width === 0 || marks > MOST_MARKS) return { content: at, marks };
    marks += 1;
    at += width;
  }
}

function markWidth(text: string, at: number): number {
  const character = text[at] ?? '';
  if (character === '>') return 1;
  const isBullet = character === '-' || character === '+' || character === '*';
  let digits = 0;
  while (!isBullet && digits < 10 && isDigit(text[at + digits])) digits += 1;
  const isNumber = digits > 0 && digits < 10 && (text[at + digits] === '.' || text[at + digits] === ')');
  const width = isBullet ? 1 : isNumber ? digits + 1 : 0;
  return width > 0 && (text[at + width] === ' ' || text[at + width] === '\t') ? width : 0;
}

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character >= '0' && character <= '9';

function fenceAt(text: string, at: number, start: number): Fence | undefined {
  const mark = text[at];
  if (mark !== '`' && mark !== '~') return undefined;
  const length = runLength(text, at);
  if (length < FENCE_MARKS) return undefined;
  const newline = text.indexOf('\n', at);
  const info = text.slice(at + length, newline === -1 ? text.length : newline);
  return mark === '`' && info.includes('`') ? undefined : { mark, length, start };
}

function closes(text: string, { content: at, end }: Line, { mark, length }: Fence): boolean {
  if (text[at] !== mark) return false;
  const run = runLength(text, at);
  return run >= length && text.slice(at + run, end).trim() === '';
}

function runLength(text: string, at: number): number {
  let length = 1;
  while (text[at + length] === text[at]) length += 1;
  return length;
}
