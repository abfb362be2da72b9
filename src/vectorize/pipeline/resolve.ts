import type { Point } from '../../qdrant/index.ts';
import type { Need } from './compare.ts';
import { isProper } from './examine.ts';
import type { Expected } from './points.ts';
import { grouped } from './streams.ts';
import { type Shape, type Target, vectorOf } from './target.ts';
import type { Open } from './tracker.ts';

/** A point that a document needs. */
export type Item = {
  readonly open: Open;
  readonly point: Expected;
  readonly what: Need['what'];
  readonly fresh?: true;
};

export type ResolveOptions = {
  readonly target: Pick<Target, 'points' | 'vectorsOf'>;
  readonly shape: Shape;
  /** The target has no points: nobody need ask. */
  readonly empty: boolean;
  /** Takes a point whose vector is known. */
  readonly write: (item: Item, vector: Point['vector']) => Promise<void>;
};

const AT_ONCE = 64;

/** Writes what the target itself has the vectors for, and gives back what must be embedded. */
export async function* toEmbed(
  items: AsyncIterable<Item>,
  options: ResolveOptions,
): AsyncGenerator<Item, void, undefined> {
  for await (const group of grouped(items, AT_ONCE)) yield* options.empty ? group : await resolve(group, options);
}

async function resolve(group: readonly Item[], { target, shape, write }: ResolveOptions): Promise<Item[]> {
  const kept = group.filter(({ what }) => what === 'payload');
  const sought = group.filter(({ what, fresh }) => what === 'all' && fresh !== true);
  const [present, known] = await Promise.all([
    kept.length === 0 ? [] : target.points(kept.map(({ point }) => point.id)),
    sought.length === 0 ? new Map<string, never>() : target.vectorsOf(sought.map(({ point }) => point.mark.hash)),
  ]);
  const there = new Map(present.map((point) => [point.id, point]));
  const rest: Item[] = [];
  for (const item of group) {
    const { point, what, fresh } = item;
    const own = what === 'payload' ? there.get(point.id) : undefined;
    const equal = what === 'all' && fresh !== true ? known.get(point.mark.hash) : undefined;
    // With all of its vectors: others may have written some of them.
    if (own !== undefined && isProper(vectorOf(own, shape.vector), shape.dimensions)) await write(item, own.vector);
    else if (isProper(equal, shape.dimensions)) await write(item, vectorsFor(shape, equal ?? []));
    else rest.push(item);
  }
  return rest;
}

/** As a point of that collection has it. */
export const vectorsFor = ({ vector }: Shape, value: readonly number[]): Point['vector'] =>
  vector === undefined ? value : { [vector]: value };
