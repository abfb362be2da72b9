/** A word: letters and digits of any script, beginning with a letter; parts of identifiers count for themselves. */
const WORD = /\p{L}[\p{L}\p{N}]{2,29}/gu;
/** So much of a text tells what it is about. */
const MOST_CHARACTERS = 4000;

/** The different words of a text, in small letters. */
export function wordsOf(text: string): Set<string> {
  const words = text.slice(0, MOST_CHARACTERS).normalize('NFKC').match(WORD) ?? [];
  return new Set(words.map((word) => word.toLowerCase()));
}

/** In how many texts of each class each word stands. */
export class WordCounts {
  readonly #counts = new Map<string, Uint32Array>();
  readonly #texts: Uint32Array;
  readonly #classes: number;

  constructor(classes: number) {
    this.#classes = classes;
    this.#texts = new Uint32Array(classes);
  }

  add(text: string, label: number): void {
    this.#texts[label] = (this.#texts[label] ?? 0) + 1;
    for (const word of wordsOf(text)) {
      const counts = this.#counts.get(word) ?? new Uint32Array(this.#classes);
      counts[label] = (counts[label] ?? 0) + 1;
      this.#counts.set(word, counts);
    }
    if (this.#counts.size > MOST_WORDS) this.#forgetRare();
  }

  get texts(): Uint32Array {
    return this.#texts;
  }

  get words(): Iterable<[string, Uint32Array]> {
    return this.#counts;
  }

  /** What stands in one text only names nothing; so memory stays bounded, whatever the texts are. */
  #forgetRare(): void {
    for (let least = 1; this.#counts.size > MOST_WORDS / 2; least *= 2) {
      for (const [word, counts] of this.#counts) {
        if (counts.reduce((sum, count) => sum + count, 0) <= least) this.#counts.delete(word);
      }
    }
  }
}

const MOST_WORDS = 200_000;
