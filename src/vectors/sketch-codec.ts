import { coarse, fine } from './coarse.ts';
import { DISTANCES } from './distance.ts';
import { MAX_CELLS, type Sketch } from './sketch.ts';

/** "QLS1": a file of another kind or a later form is refused. */
const MAGIC = 0x514c5331;
const HEADER = 36;
const MAX_COLUMNS = 65_536;
const BYTES_PER_CELL = 12;

/** Half of what a ConfigMap holds. */
export const MAX_SKETCH_BYTES = 512 * 1024;

/** Size of an encoded sketch. */
export const sketchBytes = (cells: number, columns: number): number => HEADER + cells * (BYTES_PER_CELL + columns);

/** The most cells, 256 at most, whose sketch stays within `bytes`; 0 where not even one does. */
export const cellsWithin = (columns: number, bytes: number = MAX_SKETCH_BYTES): number =>
  Math.max(0, Math.min(MAX_CELLS, Math.floor((bytes - HEADER) / (BYTES_PER_CELL + columns))));

/**
 * A sketch in bytes: 8 bits a number, 12 bytes a cell; `decodeSketch` gives the same sketch back.
 *
 * @throws RangeError for more than `MAX_SKETCH_BYTES`
 */
export function encodeSketch({ distance, centres, counts, radii, seen, blank, population }: Sketch): Uint8Array {
  const size = sketchBytes(centres.rows, centres.columns);
  if (size > MAX_SKETCH_BYTES) throw new RangeError(`a sketch of ${size} bytes, at most ${MAX_SKETCH_BYTES}`);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint16(4, DISTANCES.indexOf(distance), true);
  view.setUint16(6, centres.rows, true);
  view.setUint32(8, centres.columns, true);
  [seen, blank, population].forEach((count, index) => {
    view.setFloat64(12 + index * 8, count, true);
  });
  const { levels, scales } = coarse(centres);
  for (let cell = 0; cell < centres.rows; cell += 1) {
    const at = HEADER + cell * BYTES_PER_CELL;
    view.setUint32(at, counts[cell] ?? 0, true);
    view.setFloat32(at + 4, radii[cell] ?? 0, true);
    view.setFloat32(at + 8, scales[cell] ?? 0, true);
  }
  bytes.set(new Uint8Array(levels.buffer), HEADER + centres.rows * BYTES_PER_CELL);
  return bytes;
}

/** @throws TypeError saying what of the bytes is no sketch */
export function decodeSketch(bytes: Uint8Array): Sketch {
  const wrong = (what: string): TypeError => new TypeError(`no sketch: ${what}`);
  if (bytes.length < HEADER || bytes.length > MAX_SKETCH_BYTES) throw wrong(`${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== MAGIC) throw wrong('another kind of file');
  const distance = DISTANCES[view.getUint16(4, true)];
  const cells = view.getUint16(6, true);
  const columns = view.getUint32(8, true);
  if (distance === undefined) throw wrong('unknown distance');
  if (cells > MAX_CELLS || columns > MAX_COLUMNS) throw wrong(`${cells} cells of ${columns} numbers`);
  if (bytes.length !== sketchBytes(cells, columns)) throw wrong(`${bytes.length} bytes for ${cells} cells`);
  const [seen = -1, blank = -1, population = -1] = [0, 1, 2].map((index) => view.getFloat64(12 + index * 8, true));
  if (![seen, blank, population].every((count) => Number.isSafeInteger(count) && count >= 0)) throw wrong('a count');
  const [counts, radii, scales] = [new Uint32Array(cells), new Float32Array(cells), new Float32Array(cells)];
  for (let cell = 0; cell < cells; cell += 1) {
    const at = HEADER + cell * BYTES_PER_CELL;
    counts[cell] = view.getUint32(at, true);
    radii[cell] = view.getFloat32(at + 4, true);
    scales[cell] = view.getFloat32(at + 8, true);
  }
  if (![...radii, ...scales].every((value) => Number.isFinite(value) && value >= 0)) throw wrong('a radius or scale');
  const levels = new Int8Array(bytes.slice(HEADER + cells * BYTES_PER_CELL).buffer);
  return { distance, centres: fine({ columns, levels, scales }, distance), counts, radii, seen, blank, population };
}
