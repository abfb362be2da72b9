/** Requests not slower than the bound, in seconds, since the process began; the last bound is infinite. */
export type Buckets = ReadonlyMap<number, number>;

export function addBuckets(all: readonly Buckets[]): Map<number, number> {
  const sum = new Map<number, number>();
  for (const buckets of all) for (const [bound, count] of buckets) sum.set(bound, (sum.get(bound) ?? 0) + count);
  return sum;
}

/** What came to `later` since `earlier`. */
export const subtractBuckets = (later: Buckets, earlier: Buckets): Map<number, number> =>
  new Map([...later].map(([bound, count]) => [bound, count - (earlier.get(bound) ?? 0)]));

/**
 * The latency below which the share of requests lies, in seconds, interpolated within its bucket; undefined without
 * requests. Qdrant's buckets are coarse (100 to 500 ms is one): good to see a threshold passed, not to compare with.
 * Beyond the last finite bound that bound is given. Source: Prometheus `histogram_quantile`; Qdrant
 * `operation_time_statistics.rs`.
 */
export function quantile(buckets: Buckets, share: number): number | undefined {
  const sorted = [...buckets].toSorted(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (total <= 0) return undefined;
  const rank = share * total;
  let [lower, below] = [0, 0];
  for (const [bound, count] of sorted) {
    if (count >= rank) {
      if (!Number.isFinite(bound)) return lower;
      return count === below ? bound : lower + (bound - lower) * ((rank - below) / (count - below));
    }
    [lower, below] = [bound, count];
  }
  return lower;
}
