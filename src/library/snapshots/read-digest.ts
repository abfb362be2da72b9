import type { ClusterClient } from '../../qdrant/index.ts';
import { addHash, type Digest, EMPTY_DIGEST, pointHash } from '../../vectors/index.ts';

export type Reading = {
  readonly client: Pick<ClusterClient, 'scrollPages' | 'shardKeys'>;
  readonly collection: string;
  readonly pageSize: number;
  readonly signal: AbortSignal;
  /** Called after each page. */
  readonly onPage: (points: number) => Promise<void>;
};

/**
 * Order-independent digest of all points as they are read. Says nothing of a shard that can't be read (S2). Key by key:
 * of points with one id under several keys a scroll over all gives only one (measured on 1.18.3).
 */
export async function readDigest({ client, collection, pageSize, signal, onPage }: Reading): Promise<Digest> {
  let digest = EMPTY_DIGEST;
  const keys = await client.shardKeys(collection, { signal });
  for (const shardKey of keys.length === 0 ? [undefined] : keys) {
    const options = { limit: pageSize, withVectors: true, signal, ...(shardKey === undefined ? {} : { shardKey }) };
    for await (const points of client.scrollPages(collection, options)) {
      for (const point of points) digest = addHash(digest, pointHash(point));
      await onPage(points.length);
    }
  }
  return digest;
}
