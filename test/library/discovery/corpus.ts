import { type Matrix, randomNumbers, unit, zeros } from '../../../src/vectors/index.ts';
import { normals } from '../../vectors/points.ts';

export type Corpus = { readonly points: Matrix; readonly labels: Int32Array; readonly texts: readonly string[] };

export type CorpusOptions = {
  readonly domains: number;
  readonly rows: number;
  readonly columns?: number;
  /** Cosine of two domains' middles, 0 to 1. */
  readonly likeness: number;
  /** Length of what is a point's own beside its domain's direction of length 1. */
  readonly spread: number;
  readonly seed: number;
  /** Sizes of the domains beside each other; all alike when not given. */
  readonly weights?: readonly number[];
};

/** How far topics lie from the middle of their domain. */
const TOPIC = 0.3;
const COMMON = ['the', 'and', 'with', 'value', 'from', 'that'];

/**
 * Points of made-up domains: each has a direction of its own, topics within it, and words of its own.
 *
 * Its topics make a domain what real ones are: not a ball, but several heaps near each other.
 */
export function corpus({ domains, rows, columns = 64, likeness, spread, seed, weights }: CorpusOptions): Corpus {
  const random = randomNumbers(seed);
  const normal = normals(random);
  const direction = (): number[] => Array.from({ length: columns }, () => normal() / Math.sqrt(columns));
  const common = direction();
  const middles = Array.from({ length: domains }, () =>
    mix(common, Math.sqrt(likeness), direction(), Math.sqrt(1 - likeness)),
  );
  const topics = middles.map((middle) => Array.from({ length: 4 }, () => mix(middle, 1, direction(), TOPIC)));
  const points = zeros(rows, columns);
  const labels = new Int32Array(rows);
  const texts: string[] = [];
  for (let row = 0; row < rows; row += 1) {
    const domain = weights === undefined ? row % domains : drawnFrom(weights, random());
    const topic = topics[domain]?.[Math.floor(random() * 4)] ?? [];
    labels[row] = domain;
    points.data.set(mix(topic, 1, direction(), spread), row * columns);
    texts.push(
      [...COMMON, `${SUBJECTS[domain % SUBJECTS.length]}`, `matter${domain}x${Math.floor(random() * 5)}`].join(' '),
    );
  }
  return { points: unit(points), labels, texts };
}

export const SUBJECTS = ['astronomy', 'botany', 'cooking', 'dentistry', 'economics', 'forestry', 'geology', 'hockey'];

const mix = (a: readonly number[], ofA: number, b: readonly number[], ofB: number): number[] =>
  a.map((value, column) => value * ofA + (b[column] ?? 0) * ofB);

function drawnFrom(weights: readonly number[], chance: number): number {
  let left = chance * weights.reduce((sum, weight) => sum + weight, 0);
  return Math.max(
    0,
    weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    }),
  );
}
