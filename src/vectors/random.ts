/** Numbers in [0, 1) that look random and are the same for the same seed. Source: mulberry32, T. Ettinger. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * `wanted` different numbers of 0..`count` - 1 in random order; all of them when fewer exist.
 *
 * Source: Fisher and Yates's shuffle, ended early.
 */
export function drawn(count: number, wanted: number, random: () => number): Uint32Array {
  const all = Uint32Array.from({ length: count }, (_, index) => index);
  const taken = Math.min(wanted, count);
  for (let index = 0; index < taken; index += 1) {
    const other = index + Math.floor(random() * (count - index));
    const kept = all[index] ?? 0;
    all[index] = all[other] ?? 0;
    all[other] = kept;
  }
  return all.slice(0, taken);
}
