import type { Schemas } from './types.ts';

/** Bytes by collection. */
export type VectorBytes = ReadonlyMap<string, number>;

/**
 * How large the vectors of each collection are, from what one peer tells of all (`clusterTelemetry`, level 3): of every
 * shard the replica that says most, so that copies don't count. A collection with a shard of which nobody says
 * anything is left out.
 *
 * It is Qdrant's estimate, by which strict mode limits a collection, too: in each segment the mean size of every named
 * vector times all its points. So it is exact where all points have all vectors, and too large where some lack one
 * (measured: 1 of 1000 points with 400 bytes more counted for 195 000). Indexes, quantized copies, payloads and deleted
 * points are not in it. Source: Qdrant `segment/read_view/info.rs`, v1.18.3.
 */
export function vectorBytesOf({ collections }: Schemas['DistributedTelemetryData']): VectorBytes {
  return new Map(
    Object.entries(collections).flatMap(([name, collection]) => {
      const shards = (collection?.shards ?? []).map(({ replicas }) =>
        replicas.flatMap(({ vectors_size_bytes: bytes }) => (typeof bytes === 'number' ? [bytes] : [])),
      );
      if (collection?.shards == null || shards.some((told) => told.length === 0)) return [];
      return [[name, shards.reduce((sum, told) => sum + Math.max(...told), 0)] as const];
    }),
  );
}
