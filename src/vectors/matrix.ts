/** Rows of equal length in one array, one after the other: row `i` is `data[i * columns]` to `data[(i + 1) * columns - 1]`. */
export type Matrix = { readonly rows: number; readonly columns: number; readonly data: Float32Array };

export const zeros = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  data: new Float32Array(rows * columns),
});

/** @throws TypeError for rows of unequal length */
export function matrixOf(rows: readonly ArrayLike<number>[]): Matrix {
  const columns = rows[0]?.length ?? 0;
  const matrix = zeros(rows.length, columns);
  rows.forEach((row, index) => {
    if (row.length !== columns) throw new TypeError(`row ${index} has ${row.length} numbers, the first has ${columns}`);
    matrix.data.set(row, index * columns);
  });
  return matrix;
}

/** One row, as a view: no copy. */
export const rowOf = ({ columns, data }: Matrix, index: number): Float32Array =>
  data.subarray(index * columns, (index + 1) * columns);

/** The rows of these places, copied. */
export function pick(matrix: Matrix, places: ArrayLike<number>): Matrix {
  const picked = zeros(places.length, matrix.columns);
  for (let index = 0; index < places.length; index += 1) {
    picked.data.set(rowOf(matrix, places[index] ?? 0), index * matrix.columns);
  }
  return picked;
}

/** Length of a row by Euclid. */
export function norm(row: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < row.length; index += 1) sum += (row[index] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/** @throws TypeError for rows of unequal length */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new TypeError(`${a.length} numbers against ${b.length}`);
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}

/** A copy with every row of length 1; a row of zeros stays. */
export function unit(matrix: Matrix): Matrix {
  const result = { ...matrix, data: matrix.data.slice() };
  for (let index = 0; index < matrix.rows; index += 1) scaleToUnit(rowOf(result, index));
  return result;
}

/** In place. @returns the length that the row had */
export function scaleToUnit(row: Float32Array): number {
  const length = norm(row);
  if (length > 0) for (let index = 0; index < row.length; index += 1) row[index] = (row[index] ?? 0) / length;
  return length;
}

/** @throws TypeError naming the first row that has a number which is not finite */
export function assertFinite({ columns, data }: Matrix): void {
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new TypeError(`row ${Math.floor(at / columns)} has ${data[at]} in column ${at % columns}`);
}
