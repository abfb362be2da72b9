/** Counts tokens as an embedding model would, or nearly so. */
export type Tokenizer = {
  readonly name: string;
  /** Tokens of a text. With a limit it may stop as soon as there are more, and give any number above the limit. */
  readonly count: (text: string, limit?: number) => number;
};

export type Encoding = 'o200k_base' | 'cl100k_base';

/** A run without spaces takes time in the square of its length, so that it is counted in parts (measured: 100 000 spaces, 6 s). */
const WINDOW = 1024;
const PLAIN = { disallowedSpecial: new Set<string>() };

/** Loads an encoding's table: half a second and 60 MB, once per process. */
export async function loadTokenizer(encoding: Encoding = 'o200k_base'): Promise<Tokenizer> {
  const { countTokens } =
    encoding === 'o200k_base'
      ? await import('gpt-tokenizer/encoding/o200k_base')
      : await import('gpt-tokenizer/encoding/cl100k_base');
  return windowed(encoding, (text) => countTokens(text, PLAIN));
}

/** A tokenizer that is asked for short texts only. */
export function windowed(name: string, countShort: (text: string) => number): Tokenizer {
  return {
    name,
    count: (text, limit = Number.POSITIVE_INFINITY) => {
      let total = 0;
      for (let from = 0; from < text.length && total <= limit; ) {
        const to = windowEnd(text, from);
        total += countShort(text.slice(from, to));
        from = to;
      }
      return total;
    },
  };
}

/** Before the last single space of the window: no token of either encoding goes across it. Else anywhere but inside a character. */
function windowEnd(text: string, from: number): number {
  const limit = from + WINDOW;
  if (limit >= text.length) return text.length;
  for (let at = limit; at > from + WINDOW / 2; at -= 1) {
    if (text[at] === ' ' && !isBlank(text.charCodeAt(at - 1))) return at;
  }
  return isLowSurrogate(text.charCodeAt(limit)) ? limit - 1 : limit;
}

const isBlank = (unit: number): boolean => unit <= 0x20 || unit === 0xa0 || unit >= 0x1680;
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000;
