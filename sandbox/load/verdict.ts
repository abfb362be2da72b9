export type LoadVerdict = {
  readonly expected: number;
  /** Acknowledged and absent, or older than acknowledged. */
  readonly lost: readonly number[];
  /** Deleted and acknowledged, yet there. */
  readonly undeleted: readonly number[];
  /** There, and never written; or of a revision that nobody sent. */
  readonly phantoms: readonly number[];
};

/**
 * What is there against what was acknowledged.
 *
 * @param acknowledged revision by id; undefined = deleted
 * @param found revision by id
 */
export function verdictOf(
  acknowledged: ReadonlyMap<number, number | undefined>,
  found: ReadonlyMap<number, number>,
): LoadVerdict {
  const lost: number[] = [];
  const undeleted: number[] = [];
  const phantoms: number[] = [];
  let expected = 0;
  for (const [id, revision] of acknowledged) {
    const there = found.get(id);
    if (revision === undefined) {
      if (there !== undefined) undeleted.push(id);
      continue;
    }
    expected += 1;
    if (there === undefined || there < revision) lost.push(id);
    else if (there !== revision) phantoms.push(id);
  }
  for (const id of found.keys()) if (!acknowledged.has(id)) phantoms.push(id);
  return { expected, lost, undeleted, phantoms };
}
