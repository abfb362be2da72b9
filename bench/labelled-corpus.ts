import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { drawn, type Matrix, pick, randomNumbers, unit } from '../src/vectors/index.ts';

/** Points of which is known where they come from. */
export type Labelled = {
  readonly points: Matrix;
  readonly labels: ArrayLike<string | number>;
  readonly texts: readonly string[];
};

/** A folder with `vectors.f32` and `chunks.jsonl.gz`. */
export function read(folder: string): Labelled {
  const lines = gunzipSync(readFileSync(join(folder, 'chunks.jsonl.gz')))
    .toString()
    .trim()
    .split('\n');
  const chunks = lines.map((line) => JSON.parse(line) as { domain: string; heading?: string; text: string });
  const bytes = readFileSync(join(folder, 'vectors.f32'));
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return {
    points: unit({ rows: chunks.length, columns: data.length / chunks.length, data }),
    labels: chunks.map(({ domain }) => domain),
    texts: chunks.map(({ heading = '', text }) => `${heading}\n${text}`),
  };
}

/** Rows whose label is wanted. */
export const places = ({ labels }: Labelled, wanted: (label: string | number) => boolean): number[] =>
  Array.from(labels, (label, row) => (wanted(label) ? row : -1)).filter((row) => row >= 0);

/** Some of these rows, drawn by chance. */
export function part({ points, labels, texts }: Labelled, among: readonly number[], size: number): Labelled {
  const rows = [...drawn(among.length, size, randomNumbers(3))].map((place) => among[place] ?? 0);
  return {
    points: pick(points, rows),
    labels: rows.map((row) => labels[row] ?? ''),
    texts: rows.map((row) => texts[row] ?? ''),
  };
}

/** Each column in an order of its own: the same numbers, and nothing that belongs together. */
export function shuffled(labelled: Labelled): Labelled {
  const { rows, columns, data } = labelled.points;
  const mixed = { rows, columns, data: data.slice() };
  const random = randomNumbers(5);
  for (let column = 0; column < columns; column += 1) {
    drawn(rows, rows, random).forEach((other, row) => {
      mixed.data[row * columns + column] = data[other * columns + column] ?? 0;
    });
  }
  return { ...labelled, points: unit(mixed) };
}
