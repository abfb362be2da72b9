import { load } from 'js-yaml';
import type { Json } from '../document.ts';

export type FrontMatter = {
  /** Where it ends, its closing line included. */
  readonly end: number;
  /** Its top-level texts, numbers, booleans and lists of texts; none when it can't be read. */
  readonly values: { readonly [key: string]: Json };
};

const OPENING = /^(?:---|\+\+\+)[ \t]*\r?\n/;
const LONGEST = 64 * 1024;
const LONGEST_VALUE = 1024;
const MOST_VALUES = 64;

/** YAML between `---` or TOML between `+++` at the start of a text. @returns undefined when it does not begin so */
export function frontMatterOf(text: string): FrontMatter | undefined {
  const opening = OPENING.exec(text.slice(0, 256))?.[0];
  if (opening === undefined) return undefined;
  const mark = opening.slice(0, 3);
  for (let at = opening.length; at < Math.min(text.length, LONGEST); ) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline + 1;
    if (text.slice(at, end).trimEnd() === mark) {
      return { end, values: mark === '---' ? valuesOf(text.slice(opening.length, at)) : {} };
    }
    at = end;
  }
  return undefined;
}

function valuesOf(source: string): FrontMatter['values'] {
  // References may blow a small text up to any size.
  if (/(?:^|[\s,[{])[&*][^\s,\]}]/.test(source)) return {};
  let read: unknown;
  try {
    read = load(source);
  } catch {
    return {};
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return {};
  const plain = Object.entries(read).filter((entry): entry is [string, Json] => isPlain(entry[1]));
  return Object.fromEntries(plain.slice(0, MOST_VALUES));
}

const isPlain = (value: unknown): boolean =>
  isScalar(value) || (Array.isArray(value) && value.length <= MOST_VALUES && value.every(isScalar));

const isScalar = (value: unknown): boolean =>
  (typeof value === 'string' && value.length <= LONGEST_VALUE) ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  typeof value === 'boolean';
