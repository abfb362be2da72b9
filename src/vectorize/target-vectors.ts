import type { TargetVector } from './world.ts';

type Params = { readonly size?: unknown; readonly multivector_config?: unknown };

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** `config.params.vectors` of a collection: one unnamed vector, or a map of named ones. */
export function targetVectors(vectors: unknown): TargetVector[] {
  if (!isRecord(vectors)) return [];
  if (typeof vectors['size'] === 'number') return [vectorOf('', vectors)];
  return Object.entries(vectors).flatMap(([name, params]) => (isRecord(params) ? [vectorOf(name, params)] : []));
}

const vectorOf = (name: string, { size, multivector_config: multi }: Params): TargetVector => ({
  name,
  size: typeof size === 'number' ? size : 0,
  multi: multi !== undefined && multi !== null,
});
