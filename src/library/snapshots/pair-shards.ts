import type { PlacedShard } from '../../migration/index.ts';
import { TaskFailure } from './failure.ts';
import type { Manifest, Part } from './manifest.ts';

export type Pair = { readonly part: Part; readonly shard: PlacedShard };

/**
 * Which part goes into which shard. Ids say where Qdrant looks for a point, so they must be the same again; only where a
 * key has a single shard does its id not matter.
 *
 * @throws TaskFailure `LayoutDiffers`, `PartMissing`
 */
export function pairShards({ name, layout, parts }: Manifest, shards: readonly PlacedShard[]): Pair[] {
  const missing = layout.filter(({ shard }) => !parts.some((part) => part.shard === shard));
  if (missing.length > 0) {
    const ids = missing.map(({ shard }) => shard).join(', ');
    throw new TaskFailure('PartMissing', `snapshot ${name} has no part of shards ${ids}`, { lasting: true });
  }
  if (layout.length !== shards.length) {
    throw differs(name, `${layout.length} shards were saved, the new collection has ${shards.length}`);
  }
  return parts.map((part) => {
    const same = shards.find(({ shard }) => shard === part.shard);
    if (same !== undefined && same.key === part.key) return { part, shard: same };
    const ofKey = part.key === undefined ? [] : shards.filter(({ key }) => key === part.key);
    const saved = layout.filter(({ key }) => key === part.key);
    const [only] = ofKey;
    if (only !== undefined && ofKey.length === 1 && saved.length === 1) return { part, shard: only };
    throw differs(name, `shard ${part.shard} of key ${part.key ?? 'none'} has another id in the new collection`);
  });
}

const differs = (name: string, why: string): TaskFailure =>
  new TaskFailure('LayoutDiffers', `snapshot ${name}: ${why}`, { lasting: true });
