import type { Distance } from './distance.ts';
import { type Matrix, rowOf, scaleToUnit, zeros } from './matrix.ts';

/** Rows as integers of 8 bits and one factor each. */
export type CoarseRows = { readonly columns: number; readonly levels: Int8Array; readonly scales: Float32Array };

const LEVELS = 127;
/** Binary digits of a scale: with the 7 of a level they fit into float32, so that nothing is rounded twice. */
const SCALE_DIGITS = 16;
/** Below it float32 has too few digits left: taken as 0. */
const SMALLEST = 1e-30;

/** Rounds rows to what `coarse` can keep: `fine(coarse(row))` is the same row again. */
export const coarseRows = (rows: Matrix, distance: Distance): Matrix => fine(coarse(rows), distance);

export function coarse(rows: Matrix): CoarseRows {
  const levels = new Int8Array(rows.data.length);
  const scales = new Float32Array(rows.rows);
  for (let index = 0; index < rows.rows; index += 1) {
    const row = rowOf(rows, index);
    const most = row.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0);
    if (most < SMALLEST) continue;
    scales[index] = scaleOf(most);
    for (let column = 0; column < row.length; column += 1) {
      levels[index * rows.columns + column] = Math.round(((row[column] ?? 0) / most) * LEVELS);
    }
  }
  return { columns: rows.columns, levels, scales };
}

/** With Cosine each row gets length 1 and its scale says nothing. */
export function fine({ columns, levels, scales }: CoarseRows, distance: Distance): Matrix {
  const rows = zeros(scales.length, columns);
  for (let index = 0; index < rows.rows; index += 1) {
    const row = rowOf(rows, index);
    row.set(levels.subarray(index * columns, (index + 1) * columns));
    if (distance === 'Cosine') {
      scaleToUnit(row);
      continue;
    }
    const scale = scales[index] ?? 0;
    for (let column = 0; column < columns; column += 1) row[column] = (row[column] ?? 0) * scale;
  }
  return rows;
}

function scaleOf(most: number): number {
  const exact = most / LEVELS;
  const step = 2 ** (Math.floor(Math.log2(exact)) - SCALE_DIGITS + 1);
  return Math.ceil(exact / step) * step;
}
