/** The values with gaps filled along a straight line; those before the first known value are left out. */
export function filled(values: readonly number[]): number[] {
  const first = values.findIndex((value) => !Number.isNaN(value));
  if (first < 0) return [];
  const known = values.slice(first);
  let last = 0;
  for (let index = 1; index <= known.length; index += 1) {
    if (index < known.length && Number.isNaN(known[index])) continue;
    const [from, to] = [known[last] ?? 0, known[index] ?? known[last] ?? 0];
    for (let gap = last + 1; gap < index && gap < known.length; gap += 1)
      known[gap] = from + ((to - from) * (gap - last)) / (index - last);
    last = index;
  }
  return known;
}
