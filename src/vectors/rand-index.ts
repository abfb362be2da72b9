/**
 * How far two labellings of the same things agree on which belong together: 1 = wholly, about 0 = as by chance.
 *
 * @throws TypeError for labellings of unequal length
 * Source: adjusted Rand index, Hubert and Arabie 1985.
 */
export function randIndex(a: ArrayLike<number | string>, b: ArrayLike<number | string>): number {
  if (a.length !== b.length) throw new TypeError(`${a.length} labels against ${b.length}`);
  const [placesA, placesB] = [places(a), places(b)];
  const width = placesB.reduce((most, place) => Math.max(most, place), 0) + 1;
  const both = placesA.map((place, index) => place * width + (placesB[index] ?? 0));
  const [together, inA, inB, all] = [pairs(both), pairs(placesA), pairs(placesB), (a.length * (a.length - 1)) / 2];
  const expected = all === 0 ? 0 : (inA * inB) / all;
  const highest = (inA + inB) / 2;
  // Both put everything into one place, or each thing into its own.
  return highest === expected ? 1 : (together - expected) / (highest - expected);
}

/** Each label by a number of its own. */
function places(labels: ArrayLike<number | string>): number[] {
  const known = new Map<number | string, number>();
  return Array.from(labels, (label) => {
    const place = known.get(label) ?? known.size;
    known.set(label, place);
    return place;
  });
}

/** How many pairs of things bear the same label. */
function pairs(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts.values().reduce((sum, count) => sum + (count * (count - 1)) / 2, 0);
}
