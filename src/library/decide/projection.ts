import type { Projection, VectorRule } from '../../migration/index.ts';
import type { Observed } from '../observed.ts';
import type { Section, Shape } from '../shape.ts';

/** The part of a collection that says which points fit into it. */
export type Layout = {
  readonly vectors: Readonly<Record<string, Section>>;
  readonly sparse: Readonly<Record<string, Section>>;
  readonly customSharding: boolean;
};

/** The layout that a generation of this shape after `base` will have. */
export function layoutAfter(shape: Shape, base: Observed): Layout {
  const said = shape.vectors !== undefined || shape.sparse !== undefined;
  const vectors = Object.entries(shape.vectors ?? {}).map(([name, vector]): [string, Section] => [
    name,
    {
      size: vector.size,
      distance: vector.distance ?? base.vectors[name]?.['distance'] ?? 'Cosine',
      datatype: vector.datatype ?? base.vectors[name]?.['datatype'],
      multivector_config: vector.multivector,
    },
  ]);
  return {
    vectors: said ? Object.fromEntries(vectors) : base.vectors,
    sparse: said ? (shape.sparse ?? {}) : base.sparse,
    customSharding: shape.shardKeys !== undefined || base.customSharding,
  };
}

export type Carrying = {
  readonly projection: Projection;
  /** Vectors that can't be brought over, each with the reason. With the predicate switched off they stay behind. */
  readonly uncopyable: readonly string[];
  readonly unplaceable: string | undefined;
};

/** How points travel from one layout to another, and what can't. */
export function carrying(from: Layout, to: Layout): Carrying {
  const rules: Record<string, VectorRule> = {};
  const uncopyable: string[] = [];
  const leave = (name: string, why: string): void => {
    rules[name] = { drop: true };
    uncopyable.push(`${name === '' ? 'the unnamed vector' : name} ${why}`);
  };
  for (const [name, has] of Object.entries(from.vectors)) {
    const wanted = to.vectors[name];
    const obstacle = wanted === undefined ? 'is removed' : denseObstacle(has, wanted);
    if (obstacle !== undefined || wanted === undefined) leave(name, obstacle ?? 'is removed');
    else {
      const rule = denseRule(has, wanted);
      if (rule !== undefined) rules[name] = rule;
    }
  }
  for (const [name, has] of Object.entries(from.sparse)) {
    const wanted = to.sparse[name];
    if (wanted === undefined) leave(name, 'is removed');
    // Qdrant rounds the values themselves to the type of the index (measured, section 9).
    else if (weightType(has) !== weightType(wanted)) leave(name, `has weights of type ${weightType(wanted)}`);
  }
  return {
    projection: { vectors: rules, keepShardKeys: to.customSharding },
    uncopyable,
    unplaceable:
      to.customSharding && !from.customSharding
        ? "points without shard key don't say which shard they belong to"
        : undefined,
  };
}

function denseObstacle(has: Section, wanted: Section): string | undefined {
  if (has['size'] !== wanted['size']) return `has ${String(has['size'])} dimensions, not ${String(wanted['size'])}`;
  const multi = has['multivector_config'] !== undefined;
  if (multi !== (wanted['multivector_config'] !== undefined)) return multi ? 'has several rows' : 'has one row only';
  if (type(wanted) === 'uint8' && type(has) !== 'uint8') return 'would lose all but whole numbers from 0 to 255';
  return undefined;
}

function denseRule(has: Section, wanted: Section): VectorRule | undefined {
  const rule = {
    // Qdrant normalises no bytes.
    ...(wanted['distance'] === 'Cosine' && has['distance'] !== 'Cosine' && type(wanted) !== 'uint8'
      ? { normalize: true }
      : {}),
    ...(type(wanted) === 'float16' && type(has) !== 'float16' ? { float16: true } : {}),
  };
  return Object.keys(rule).length === 0 ? undefined : rule;
}

const DEFAULT_TYPE = 'float32';
const type = ({ datatype }: Section): string => (typeof datatype === 'string' ? datatype : DEFAULT_TYPE);

function weightType({ index }: Section): string {
  return typeof index === 'object' && index !== null && 'datatype' in index ? String(index.datatype) : DEFAULT_TYPE;
}
