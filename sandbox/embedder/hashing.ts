const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;
/** In one place only, two short texts would be near each other as soon as one word of each meets the other's by chance. */
const PLACES = 8;

/** They say how, not what. */
const FUNCTION_WORDS = new Set(
  `a an and are as at be by can do does for from has have how i if in into is it its me my no not of on or our so that
  the their them then there these this those to was we what when where which who whose why will with you your`.split(
    /\s+/,
  ),
);

/**
 * A unit vector of `dimensions` numbers for a text: the stems of its words, each hashed to eight places with a sign,
 * weighted by the square root of its count. Equal texts give equal vectors on every machine; texts that share words lie near each
 * other, those that say the same in other words do not. A text without a word gives the zero vector.
 *
 * Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009 (the signed hashing trick).
 */
export function embed(text: string, dimensions: number): number[] {
  const counts = new Map<string, number>();
  for (const word of wordsOf(text)) {
    const stem = stemOf(word);
    counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }

  const vector = new Array<number>(dimensions).fill(0);
  for (const [feature, times] of counts) {
    let hash = fnv1a(feature);
    for (let turn = 0; turn < PLACES; turn += 1) {
      const place = (hash >>> 1) % dimensions;
      const sign = (hash & 1) === 0 ? 1 : -1;
      vector[place] = (vector[place] ?? 0) + sign * Math.sqrt(times);
      hash = mixed(hash + GOLDEN);
    }
  }
  const norm = Math.hypot(...vector);
  return norm === 0 ? vector : vector.map((value) => value / norm);
}

/** Words of `camelCase` one by one; function words only where there are no others. */
function wordsOf(text: string): string[] {
  const apart = text.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  const words = apart.match(/[\p{L}\p{N}]+/gu) ?? [];
  const telling = words.filter((word) => !FUNCTION_WORDS.has(word));
  return telling.length > 0 ? telling : words;
}

const stemOf = (word: string): string => (word.length > 4 ? word.replace(/(?:ies|es|s|ing|ed|e|y)$/, '') : word);

const GOLDEN = 0x9e3779b9;

/** Source: MurmurHash3's finaliser. */
function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function fnv1a(text: string): number {
  let hash = OFFSET_BASIS;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), PRIME);
  }
  // FNV's low bits mix badly for short keys: fold the high ones in.
  return (hash ^ (hash >>> 15)) >>> 0;
}
