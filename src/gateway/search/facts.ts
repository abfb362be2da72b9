import { DISTANCES, type Distance } from '../../vectors/index.ts';

/** A dense vector of a library. */
export type VectorShape = { readonly size: number; readonly distance: Distance };

/** What a search must know of a library, as its cluster tells. */
export type Facts = {
  readonly points: number;
  /** Dense vectors by name; '' is the unnamed one. */
  readonly vectors: ReadonlyMap<string, VectorShape>;
};

type Info = { readonly points_count?: unknown; readonly config?: { readonly params?: { readonly vectors?: unknown } } };

/** @param info the result of `GET /collections/{name}` */
export function factsOf(info: unknown): Facts {
  const { points_count: points, config } = info as Info;
  const vectors = new Map<string, VectorShape>();
  const given = config?.params?.vectors;
  if (isRecord(given)) {
    const named = typeof given['size'] === 'number' ? { '': given } : given;
    for (const [name, value] of Object.entries(named)) {
      const shape = shapeOf(value);
      if (shape !== undefined) vectors.set(name, shape);
    }
  }
  return { points: typeof points === 'number' ? points : 0, vectors };
}

/** Several vectors a point are compared by rules of their own. */
function shapeOf(value: unknown): VectorShape | undefined {
  if (!isRecord(value) || isRecord(value['multivector_config'])) return undefined;
  const { size, distance } = value;
  const known = DISTANCES.find((name) => name === distance);
  return typeof size === 'number' && known !== undefined ? { size, distance: known } : undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
