import type { Tokenizer } from '../tokenizer.ts';
import { tokenParts } from './split.ts';

export type Head = { readonly text: string; readonly tokens: number };

const NOTHING: Head = { text: '', tokens: 0 };
const BETWEEN = ' > ';
/** What separates the head from the text, and a token that may appear where they meet. */
const SEAM_TOKENS = 2;

/** What is said before a chunk's text: a path of at most a quarter and a note of at most an eighth of the budget. */
export class Heads {
  readonly #tokenizer: Tokenizer;
  readonly #maxTokens: number;
  readonly #known = new Map<string, Head>();

  constructor(tokenizer: Tokenizer, maxTokens: number) {
    this.#tokenizer = tokenizer;
    this.#maxTokens = maxTokens;
  }

  of(context: readonly string[], note = ''): Head {
    if (context.length === 0 && note === '') return NOTHING;
    const key = JSON.stringify([context, note]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    // Sections follow each other: what is known of those far behind isn't asked for again.
    if (this.#known.size > 256) this.#known.clear();
    const text = [
      this.#path(context, Math.floor(this.#maxTokens / 4)),
      this.#trimmed(oneLine(note), Math.floor(this.#maxTokens / 8)),
    ]
      .filter((line) => line !== '')
      .join('\n');
    const head = text === '' ? NOTHING : { text, tokens: this.#tokenizer.count(text) + SEAM_TOKENS };
    this.#known.set(key, head);
    return head;
  }

  /** The outermost go first when it is too long. */
  #path(context: readonly string[], room: number): string {
    const names = context.map(oneLine).filter((name) => name !== '');
    for (let from = 0; from < names.length - 1; from += 1) {
      const path = names.slice(from).join(BETWEEN);
      if (this.#tokenizer.count(path, room) <= room) return path;
    }
    return this.#trimmed(names.at(-1) ?? '', room);
  }

  #trimmed(line: string, room: number): string {
    if (room < 1 || line === '') return '';
    const first = tokenParts(line, { start: 0, end: line.length }, { tokenizer: this.#tokenizer, room })[0];
    return line.slice(0, first?.end ?? 0).trim();
  }
}

const MAX_NAME_CHARACTERS = 512;
const oneLine = (text: string): string => text.slice(0, MAX_NAME_CHARACTERS).toWellFormed().replace(/\s+/g, ' ').trim();
