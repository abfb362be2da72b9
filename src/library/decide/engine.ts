import type { Layout } from './projection.ts';
import { carrying } from './projection.ts';

export type EngineSubject = {
  readonly from: Layout & { readonly shardNumber: number };
  readonly to: Layout & { readonly shardNumber: number };
  /** Versions of Qdrant that peers of both sides tell. */
  readonly versions: readonly string[];
  /** What a policy asks for. */
  readonly wanted: 'Auto' | 'ShardSnapshot' | 'Scroll' | 'DualWrite' | undefined;
};

export type EngineChoice = { readonly engine: 'Scroll' | 'ShardSnapshot'; readonly engineReason: string };

/** Engines that this version has. */
const BUILT: readonly EngineChoice['engine'][] = ['Scroll'];

/** How the bulk of the data travels, by what both sides allow; scrolling fits any layout and any version. */
export function chooseEngine(subject: EngineSubject, built: readonly EngineChoice['engine'][] = BUILT): EngineChoice {
  const obstacles = againstSnapshots(subject);
  if (obstacles.length > 0) return { engine: 'Scroll', engineReason: obstacles.join('; ') };
  if (!built.includes('ShardSnapshot'))
    return { engine: 'Scroll', engineReason: 'shard snapshots would fit and are not built' };
  return { engine: 'ShardSnapshot', engineReason: 'layout, shards and version are equal' };
}

/** Qdrant checks no compatibility when a shard snapshot is recovered (S6): layouts are compared here. */
function againstSnapshots({ from, to, versions, wanted }: EngineSubject): string[] {
  const { projection, uncopyable } = carrying(from, to);
  const added = [...Object.keys(to.vectors), ...Object.keys(to.sparse)].filter(
    (name) => from.vectors[name] === undefined && from.sparse[name] === undefined,
  );
  const different = [...new Set(versions)];
  return [
    ...(wanted === 'Scroll' ? ['the policy asks for it'] : []),
    ...(wanted === 'DualWrite' ? ['writing to both sides is not built'] : []),
    ...(Object.keys(projection.vectors).length + uncopyable.length + added.length > 0 ? ['the vectors differ'] : []),
    ...(from.shardNumber === to.shardNumber ? [] : [`shards: ${from.shardNumber} -> ${to.shardNumber}`]),
    ...(from.customSharding || to.customSharding ? ['shard keys number their shards anew'] : []),
    ...(different.length > 1 ? [`versions of Qdrant differ: ${different.join(', ')}`] : []),
  ];
}
