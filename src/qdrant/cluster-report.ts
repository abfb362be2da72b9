import type { PeerClient } from './client.ts';
import type { Schemas } from './types.ts';

/** A member as the peer that was asked found it when it asked all. */
export type ReportedMember = {
  readonly peerId: number;
  readonly responsive: boolean;
  /** Only of a responsive one. */
  readonly version?: string;
  readonly isVoter?: boolean;
  readonly consensus?: Schemas['ConsensusThreadStatus']['consensus_thread_status'];
  readonly consensusError?: string;
};

/** What one peer tells about all: the only word about members that can't be asked one by one. */
export type ClusterReport = {
  readonly members: readonly ReportedMember[];
  /** Most points that a replica holds, by `shardPointsKey`. */
  readonly points: ReadonlyMap<string, number>;
};

export const shardPointsKey = (collection: string, shard: number): string => `${shard}/${collection}`;

/** Seconds for Qdrant to wait for its peers; measured on 1.18.3, it takes twice as long with one that hangs. */
const PATIENCE_SECONDS = 3;

/**
 * Asks one peer about all. Undefined where it doesn't tell: before Qdrant 1.17, or when it fails.
 *
 * @throws the signal's reason when it fires
 */
export async function reportOf(
  peer: Pick<PeerClient, 'clusterTelemetry'>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<ClusterReport | undefined> {
  try {
    const options = { attempts: 1, patience: PATIENCE_SECONDS, ...(signal === undefined ? {} : { signal }) };
    return readReport(await peer.clusterTelemetry(options));
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

function readReport({ cluster, collections }: Schemas['DistributedTelemetryData']): ClusterReport | undefined {
  const { peers } = (cluster ?? {}) as Partial<Schemas['DistributedClusterTelemetry']>;
  if (peers === undefined) return undefined;
  const members = Object.entries(peers).map(([id, info]): ReportedMember => {
    const details = info?.details as Schemas['DistributedPeerDetails'] | null | undefined;
    const member = { peerId: Number(id), responsive: info?.responsive === true };
    if (details === undefined || details === null) return member;
    const thread = details.consensus_thread_status;
    return {
      ...member,
      version: details.version,
      isVoter: details.is_voter,
      consensus: thread.consensus_thread_status,
      ...(thread.consensus_thread_status === 'stopped_with_err' ? { consensusError: thread.err } : {}),
    };
  });
  const points = Object.entries(collections).flatMap(([name, collection]) =>
    (collection?.shards ?? []).map(({ id, replicas }) => {
      const most = Math.max(0, ...replicas.map(({ num_points: count }) => count ?? 0));
      return [shardPointsKey(name, id), most] as const;
    }),
  );
  return { members, points: new Map(points) };
}
