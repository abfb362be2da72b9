import type { PeerClient } from './client.ts';
import type { Schemas } from './types.ts';

/** Bytes by collection. */
export type VectorBytes = ReadonlyMap<string, number>;

/** Seconds for Qdrant to wait for its peers; measured on 1.18.3, it takes twice as long with one that hangs. */
const PATIENCE_SECONDS = 3;
const SHARD_LEVEL = 3;

/**
 * How large the vectors of each collection are: of every shard the replica that says most, so that copies don't count.
 * A collection with a shard of which nobody says anything is left out. Undefined where nobody tells: in a cluster before
 * Qdrant 1.17, or when the call fails.
 *
 * It is Qdrant's estimate, by which strict mode limits a collection, too: in each segment the mean size of every named
 * vector times all its points. So it is exact where all points have all vectors, and too large where some lack one
 * (measured: 1 of 1000 points with 400 bytes more counted for 195 000). Indexes, quantized copies, payloads and deleted
 * points are not in it. Source: Qdrant `segment/read_view/info.rs`, v1.18.3.
 *
 * @param distributed whether the peer is one of a cluster; only such a one asks others
 */
export async function vectorBytes(
  peer: Pick<PeerClient, 'clusterTelemetry' | 'telemetry'>,
  { distributed }: { readonly distributed: boolean },
): Promise<VectorBytes | undefined> {
  try {
    return distributed
      ? ofCluster(await peer.clusterTelemetry({ level: SHARD_LEVEL, attempts: 1, patience: PATIENCE_SECONDS }))
      : ofPeer(await peer.telemetry(SHARD_LEVEL, { attempts: 1 }));
  } catch {
    return undefined;
  }
}

type Told = number | null | undefined;

function ofCluster({ collections }: Schemas['DistributedTelemetryData']): VectorBytes {
  const told = Object.entries(collections).map(([name, collection]) => {
    const shards = collection?.shards?.map(({ replicas }) => replicas.map((replica) => replica.vectors_size_bytes));
    return [name, shards] as const;
  });
  return summed(told);
}

function ofPeer({ collections }: Schemas['TelemetryData']): VectorBytes {
  const told = (collections?.collections ?? []).flatMap((collection) => {
    if (!('id' in collection)) return [];
    const shards = collection.shards?.map(({ local }) => [(local as LocalShard)?.vectors_size_bytes]);
    return [[collection.id, shards] as const];
  });
  return summed(told);
}

/** The generated type has any object beside the real one. */
type LocalShard = Schemas['LocalShardTelemetry'] | null | undefined;

function summed(told: readonly (readonly [string, readonly (readonly Told[])[] | undefined])[]): VectorBytes {
  return new Map(
    told.flatMap(([name, shards]) => {
      const known = (shards ?? []).map((replicas) => replicas.filter((bytes) => typeof bytes === 'number'));
      if (shards === undefined || known.some((replicas) => replicas.length === 0)) return [];
      return [[name, known.reduce((sum, replicas) => sum + Math.max(...replicas), 0)] as const];
    }),
  );
}
