const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * A unit vector of `dimensions` numbers for a text: words and pairs of neighbouring words, each hashed to a place and a
 * sign, weighted by the square root of its count. Equal texts give equal vectors on every machine; texts that share
 * words lie near each other. A text without a word gives the zero vector.
 *
 * Source: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", 2009 (the signed hashing trick).
 */
export function embed(text: string, dimensions: number): number[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const counts = new Map<string, number>();
  words.forEach((word, index) => {
    count(counts, word);
    const next = words[index + 1];
    if (next !== undefined) count(counts, `${word} ${next}`);
  });

  const vector = new Array<number>(dimensions).fill(0);
  for (const [feature, times] of counts) {
    const hash = fnv1a(feature);
    const place = (hash >>> 1) % dimensions;
    const sign = (hash & 1) === 0 ? 1 : -1;
    vector[place] = (vector[place] ?? 0) + sign * Math.sqrt(times);
  }
  const norm = Math.hypot(...vector);
  return norm === 0 ? vector : vector.map((value) => value / norm);
}

function count(counts: Map<string, number>, feature: string): void {
  counts.set(feature, (counts.get(feature) ?? 0) + 1);
}

function fnv1a(text: string): number {
  let hash = OFFSET_BASIS;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), PRIME);
  }
  // FNV's low bits mix badly for short keys: fold the high ones in.
  return (hash ^ (hash >>> 15)) >>> 0;
}
