import type { Tokenizer } from '../tokenizer.ts';

/** A range of UTF-16 offsets, end excluded. */
export type Range = { readonly start: number; readonly end: number };

export type SplitBy = { readonly tokenizer: Tokenizer /** Most tokens of a part. */; readonly room: number };

/** What is longer is cut at a blank first: a segmenter needs the whole of what it is given. */
const SEGMENT_CHARACTERS = 8192;
const sentences = new Intl.Segmenter('und', { granularity: 'sentence' });

/** Lines of a range; each with its line end. */
export function lines(text: string, { start, end }: Range): Range[] {
  const ranges: Range[] = [];
  for (let from = start; from < end; ) {
    const newline = text.indexOf('\n', from);
    const to = newline === -1 || newline >= end ? end : newline + 1;
    ranges.push({ start: from, end: to });
    from = to;
  }
  return ranges;
}

/** Parts that fit, and leave nothing out: sentences, and what is left over room of them by tokens. */
export function proseParts(text: string, range: Range, by: SplitBy): Range[] {
  return blocks(text, range).flatMap((block) => {
    const parts: Range[] = [];
    for (const { index, segment } of sentences.segment(text.slice(block.start, block.end))) {
      const sentence = { start: block.start + index, end: block.start + index + segment.length };
      if (fits(text, sentence, by)) parts.push(sentence);
      else parts.push(...tokenParts(text, sentence, by));
    }
    return parts;
  });
}

/** Lines; those over room by sentence, then by token. */
export const lineParts = (text: string, range: Range, by: SplitBy): Range[] =>
  lines(text, range).flatMap((line) => (fits(text, line, by) ? [line] : proseParts(text, line, by)));

/** The longest parts that fit, cut between words where there are any. */
export function tokenParts(text: string, { start, end }: Range, { tokenizer, room }: SplitBy): Range[] {
  const parts: Range[] = [];
  for (let from = start; from < end; ) {
    // Four characters per token is common; a part that is too long is halved until it fits.
    let to = cutAt(text, { from, to: from + room * 4, end });
    while (tokenizer.count(text.slice(from, to), room) > room) {
      const shorter = cutAt(text, { from, to: from + Math.floor((to - from) / 2), end });
      if (shorter >= to) break;
      to = shorter;
    }
    parts.push({ start: from, end: to });
    from = to;
  }
  return parts;
}

const fits = (text: string, { start, end }: Range, { tokenizer, room }: SplitBy): boolean =>
  end - start <= room / 4 || tokenizer.count(text.slice(start, end), room) <= room;

function blocks(text: string, { start, end }: Range): Range[] {
  const ranges: Range[] = [];
  for (let from = start; from < end; ) {
    const to = cutAt(text, { from, to: from + SEGMENT_CHARACTERS, end });
    ranges.push({ start: from, end: to });
    from = to;
  }
  return ranges;
}

type Cut = { readonly from: number; readonly to: number; readonly end: number };

/** `end` when `to` is past it. Else the last place between words in the second half of [from, to], or `to`; never inside a character, never `from`. */
function cutAt(text: string, { from, to, end }: Cut): number {
  if (to >= end) return end;
  for (let at = to; at > from + (to - from) / 2; at -= 1) if (isSpace(text[at - 1])) return at;
  const unit = text.charCodeAt(to);
  const cut = unit >= 0xdc00 && unit < 0xe000 ? to - 1 : to;
  return cut > from ? cut : from + ((text.codePointAt(from) ?? 0) > 0xffff ? 2 : 1);
}

const isSpace = (character: string | undefined): boolean =>
  character === ' ' || character === '\n' || character === '\t' || character === '\r';
