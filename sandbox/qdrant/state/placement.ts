import type { ClusterState, PeerId } from './types.ts';

/**
 * Where the replicas of new shards go: the peers with the fewest replicas of this collection first, ties by chance.
 * All known peers count, the dead ones too.
 */
export function placeShards(
  peers: readonly PeerId[],
  options: { readonly shards: number; readonly replicas: number; readonly random: () => number },
): PeerId[][] {
  const load = new Map(peers.map((peer) => [peer, { count: 0, tie: options.random() }]));
  return Array.from({ length: options.shards }, () => {
    const chosen = [...load.entries()]
      .toSorted(([, a], [, b]) => a.count - b.count || a.tie - b.tie)
      .slice(0, options.replicas);
    for (const [, entry] of chosen) entry.count += 1;
    return chosen.map(([peer]) => peer);
  });
}

export const peerIds = (state: ClusterState): PeerId[] => Object.keys(state.peers).map(Number);

/** Whether any replica of any collection lies on the peer. */
export const holdsShards = (state: ClusterState, peer: PeerId): boolean =>
  Object.values(state.collections).some(({ shards }) => shards.some((shard) => shard.replicas[peer] !== undefined));
