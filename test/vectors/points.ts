import { type Matrix, randomNumbers, unit, zeros } from '../../src/vectors/index.ts';

/** Normally distributed numbers. Source: Box and Muller. */
export const normals = (random: () => number): (() => number) => {
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
};

export type Clouds = { readonly points: Matrix; readonly labels: Int32Array };

/** Rows around `clouds` random directions, `spread` wide (length of the noise beside 1), of length 1. */
export function clouds(options: {
  readonly clouds: number;
  readonly rows: number;
  readonly columns: number;
  readonly spread: number;
  readonly seed: number;
}): Clouds {
  const normal = normals(randomNumbers(options.seed));
  const row = (length: number): number[] =>
    Array.from({ length: options.columns }, () => (normal() * length) / Math.sqrt(options.columns));
  const centres = Array.from({ length: options.clouds }, () => row(1));
  const points = zeros(options.rows, options.columns);
  const labels = new Int32Array(options.rows);
  for (let index = 0; index < options.rows; index += 1) {
    const cloud = index % options.clouds;
    labels[index] = cloud;
    const noise = row(options.spread);
    points.data.set(
      noise.map((value, column) => value + (centres[cloud]?.[column] ?? 0)),
      index * options.columns,
    );
  }
  return { points: unit(points), labels };
}
