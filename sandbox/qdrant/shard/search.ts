import { EngineError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { type CollectionParams, denseVectors } from '../state/types.ts';
import { compileFilter, type Predicate } from './filter.ts';
import { compareIds, isMulti, isSparse, type SparseVector, type StoredPoint, type VectorValue } from './point.ts';

type Distance = 'Cosine' | 'Euclid' | 'Dot' | 'Manhattan';
export type Hit = { readonly point: StoredPoint; readonly score: number };
export type Search = {
  readonly vector: VectorValue;
  readonly using: string;
  readonly filter: Json | undefined;
  readonly limit: number;
  readonly scoreThreshold: number | undefined;
};

/** For Euclid and Manhattan a smaller score is nearer. */
export const smallerIsNearer = (params: CollectionParams, using: string): boolean =>
  ['Euclid', 'Manhattan'].includes(denseVectors(params)[using]?.distance ?? 'Dot');

/** The nearest points by exact comparison with each. */
export function searchPoints(points: readonly StoredPoint[], search: Search, params: CollectionParams): Hit[] {
  const dense = denseVectors(params)[search.using];
  if (dense === undefined && params.sparse_vectors?.[search.using] === undefined) {
    throw new EngineError('BadInput', `Not existing vector name error: ${search.using}`);
  }
  const distance = dense?.distance ?? 'Dot';
  const idf =
    params.sparse_vectors?.[search.using]?.modifier === 'idf' ? inverseFrequencies(points, search) : undefined;
  const smaller = smallerIsNearer(params, search.using);
  const matches: Predicate = compileFilter(search.filter)?.matches ?? (() => true);
  const hits: Hit[] = [];
  for (const point of points) {
    const vector = point.vectors[search.using];
    if (vector === undefined || !matches(point)) continue;
    const score = similarity(search.vector, vector, { distance, idf });
    if (score === undefined) continue;
    const threshold = search.scoreThreshold;
    if (threshold !== undefined && (smaller ? score >= threshold : score <= threshold)) continue;
    hits.push({ point, score: Math.fround(score) });
  }
  return nearestFirst(hits, smaller).slice(0, search.limit);
}

export function nearestFirst<T extends { readonly score: number; readonly point: { readonly id: StoredPoint['id'] } }>(
  hits: readonly T[],
  smaller: boolean,
): T[] {
  return hits.toSorted(
    (a, b) => (smaller ? a.score - b.score : b.score - a.score) || compareIds(a.point.id, b.point.id),
  );
}

type Metric = { readonly distance: Distance; readonly idf: ReadonlyMap<number, number> | undefined };

function similarity(query: VectorValue, stored: VectorValue, metric: Metric): number | undefined {
  if (isMulti(stored)) return maxSim(isMulti(query) ? query : [query as Float32Array], stored, metric.distance);
  if (isSparse(stored)) return isSparse(query) ? sparseDot(query, stored, metric.idf) : undefined;
  if (isSparse(query)) return undefined;
  return denseScore(isMulti(query) ? (query[0] ?? stored) : query, stored, metric.distance);
}

function denseScore(a: Float32Array, b: Float32Array, distance: Distance): number {
  let sum = 0;
  if (distance === 'Dot' || distance === 'Cosine') {
    for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
    return sum;
  }
  if (distance === 'Manhattan') {
    for (let index = 0; index < a.length; index += 1) sum += Math.abs((a[index] ?? 0) - (b[index] ?? 0));
    return sum;
  }
  for (let index = 0; index < a.length; index += 1) sum += ((a[index] ?? 0) - (b[index] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** Sum over the query's rows of the best score against any stored row. */
function maxSim(query: readonly Float32Array[], stored: readonly Float32Array[], distance: Distance): number {
  const smaller = distance === 'Euclid' || distance === 'Manhattan';
  let sum = 0;
  for (const row of query) {
    const scores = stored.map((other) => denseScore(row, other, distance));
    sum += smaller ? Math.min(...scores) : Math.max(...scores);
  }
  return sum;
}

/** Dot product over shared indices; undefined when none is shared, as such points are no hits. */
function sparseDot(a: SparseVector, b: SparseVector, idf: Metric['idf']): number | undefined {
  let sum: number | undefined;
  let left = 0;
  let right = 0;
  while (left < a.indices.length && right < b.indices.length) {
    const i = a.indices[left] ?? 0;
    const j = b.indices[right] ?? 0;
    if (i === j) {
      sum = (sum ?? 0) + (a.values[left] ?? 0) * (b.values[right] ?? 0) * (idf?.get(i) ?? 1);
      left += 1;
      right += 1;
    } else if (i < j) left += 1;
    else right += 1;
  }
  return sum;
}

/** Weights of the query's indices by rarity, within this shard as the server does. */
function inverseFrequencies(points: Iterable<StoredPoint>, search: Search): Map<number, number> {
  const counts = new Map<number, number>();
  let total = 0;
  for (const point of points) {
    const vector = point.vectors[search.using];
    if (vector === undefined || !isSparse(vector)) continue;
    total += 1;
    for (const index of vector.indices) counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  const weights = new Map<number, number>();
  for (const [index, count] of counts) weights.set(index, Math.log((total - count + 0.5) / (count + 0.5) + 1));
  return weights;
}
