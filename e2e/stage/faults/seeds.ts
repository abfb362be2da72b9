/** Seeds that `E2E_SEEDS` names: `17`, `1-50`, `3,7,9-12`. */
const PART = /^(\d{1,6})(?:-(\d{1,6}))?$/;

/**
 * @param text `E2E_SEEDS`; undefined or empty: the usual ones
 * @throws Error naming the part that is no seed
 */
export function chosenSeeds(text: string | undefined, usual: string): readonly number[] {
  const wanted = (text ?? '').trim() === '' ? usual : (text ?? '');
  const seeds = wanted.split(',').flatMap((part) => {
    const [, first, last = first] = PART.exec(part.trim()) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || from < 1 || to < from)
      throw new Error(`E2E_SEEDS: ${part} is neither a number above 0 nor a range such as 1-50`);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  return [...new Set(seeds)];
}

/** So many at a time, as even as can be: groups of at most `most`. */
export function groups<T>(all: readonly T[], most: number): readonly (readonly T[])[] {
  const count = Math.ceil(all.length / most);
  return Array.from({ length: count }, (_, index) => all.filter((_one, at) => at % count === index));
}

/** As `E2E_SEEDS` takes them. */
export const seedsText = (seeds: readonly number[]): string => seeds.join(',');
