import type { ClusterClient, Payload, Point, PointId } from '../../qdrant/index.ts';
import { type Matrix, norm, randomNumbers, scaleToUnit, zeros } from '../../vectors/index.ts';

export type Reading = {
  readonly client: Pick<ClusterClient, 'scrollPages' | 'retrieve'>;
  readonly collection: string;
  /** Most points that are asked for at once. */
  readonly pageSize: number;
  readonly signal: AbortSignal;
  /** Called after each page. */
  readonly onPage: () => Promise<void>;
};

const VECTORS_AT_ONCE = 256;
const TEXTS_AT_ONCE = 256;

/**
 * Ids of points drawn by chance, each as likely as any other; the same for the same seed and points.
 *
 * All ids are read once, without vectors and payload. Source: reservoir sampling, Vitter 1985 (algorithm R).
 */
export async function sampledIds(
  { client, collection, pageSize, signal, onPage }: Reading,
  { size, seed }: { readonly size: number; readonly seed: number },
): Promise<{ readonly ids: PointId[]; readonly points: number }> {
  const random = randomNumbers(seed);
  const ids: PointId[] = [];
  let points = 0;
  const options = { limit: pageSize, withVectors: false, withPayload: false, signal };
  for await (const page of client.scrollPages(collection, options)) {
    for (const { id } of page) {
      points += 1;
      if (ids.length < size) {
        ids.push(id);
        continue;
      }
      const place = Math.floor(random() * points);
      if (place < size) ids[place] = id;
    }
    await onPage();
  }
  return { ids, points };
}

export type SampledVectors = {
  /** Rows of length 1, of points that are still there and have the vector. */
  readonly rows: Matrix;
  readonly ids: PointId[];
  /** Points of the sample without the vector, gone meanwhile, or with a vector of zeros. */
  readonly without: number;
};

/** Directions of the points' vectors. At no time more than a page of points is held beside them. */
export async function vectorsOf(
  { client, collection, pageSize, signal, onPage }: Reading,
  ids: readonly PointId[],
  { vector, columns }: { readonly vector: string; readonly columns: number },
): Promise<SampledVectors> {
  const all = zeros(ids.length, columns);
  const found: PointId[] = [];
  const step = Math.min(VECTORS_AT_ONCE, pageSize);
  for (let from = 0; from < ids.length; from += step) {
    const options = { withVectors: true, withPayload: false, signal };
    const points = byId(await client.retrieve(collection, ids.slice(from, from + step), options));
    for (const id of ids.slice(from, from + step)) {
      const values = denseOf(points.get(String(id)), vector);
      if (values?.length !== columns || !(norm(values) > 0) || !values.every(Number.isFinite)) continue;
      const row = all.data.subarray(found.length * columns, (found.length + 1) * columns);
      row.set(values);
      scaleToUnit(row);
      found.push(id);
    }
    await onPage();
  }
  const rows = { rows: found.length, columns, data: all.data.subarray(0, found.length * columns) };
  return { rows, ids: found, without: ids.length - found.length };
}

/** Answers come in no promised order, and the same points must give the same rows. */
const byId = (points: readonly Point[]): Map<string, Point> =>
  new Map(points.map((point) => [String(point.id), point]));

function denseOf(point: Point | undefined, name: string): readonly number[] | undefined {
  const vector = point?.vector;
  if (vector === undefined) return undefined;
  const value: unknown = Array.isArray(vector) ? (name === '' ? vector : undefined) : Object(vector)[name];
  return Array.isArray(value) && typeof value[0] === 'number' ? (value as number[]) : undefined;
}

/** Heading and text of each point that has any, with the point's place among `ids`. */
export async function eachText(
  { client, collection, pageSize, signal, onPage }: Reading,
  ids: readonly PointId[],
  tell: (place: number, text: string) => void,
): Promise<void> {
  const step = Math.min(TEXTS_AT_ONCE, pageSize);
  for (let from = 0; from < ids.length; from += step) {
    const page = ids.slice(from, from + step);
    const points = byId(await client.retrieve(collection, page, { withPayload: ['text', 'heading'], signal }));
    page.forEach((id, place) => {
      const text = textOf(points.get(String(id))?.payload);
      if (text !== undefined) tell(from + place, text);
    });
    await onPage();
  }
}

/** @returns undefined where payload field `text` is none */
function textOf(payload: Payload | undefined): string | undefined {
  const { text, heading } = payload ?? {};
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  return typeof heading === 'string' ? `${heading}\n${text}` : text;
}
