import { randomUUID } from 'node:crypto';
import { type ClusterClient, collectionView, isQdrantError, type PeerClient, type ShardKey } from '../qdrant/index.ts';
import type { Probe } from './side.ts';

/** So many random ids miss one shard of n with a probability of about e^-16, one in nine million. */
const PROBES_OF_A_SHARD = 16;
const LANES_OF_A_PEER = 8;
const PROBE_MILLISECONDS = 2000;
/** Qdrant's own words: a 429 of something in between says nothing about its limiters. */
const WRITE_LIMITED = /write rate limit/i;

/**
 * One round: deletes points that don't exist, one by one, through every peer, for every shard key, and tells which of
 * these writes got past the limiters. Whatever gets past uses up the token of its shard there.
 *
 * It changes nothing: a random version 4 UUID has 122 random bits, so that among 10^10 points one is hit with a
 * probability below 10^-26, and deleting an id that isn't there does nothing.
 *
 * @throws QdrantError when the shards can't be listed; the signal's reason
 */
export async function probeWrites(
  client: Pick<ClusterClient, 'peers'>,
  collection: string,
  signal: AbortSignal,
): Promise<Probe> {
  const rounds: Probe[] = [];
  // One peer after the other: a write goes from the peer that takes it on to the other replicas at once, so that all
  // of a shard lose their tokens together. While they differ a client's write may reach some of them only.
  for (const peer of client.peers) rounds.push(await probePeer(peer, collection, signal));
  return {
    passed: rounds.reduce((sum, { passed }) => sum + passed, 0),
    refused: rounds.reduce((sum, { refused }) => sum + refused, 0),
    unclear: rounds.find(({ unclear }) => unclear !== undefined)?.unclear,
  };
}

async function probePeer(peer: PeerClient, collection: string, signal: AbortSignal): Promise<Probe> {
  const { shards } = collectionView(collection, await peer.collectionCluster(collection, { attempts: 1, signal }));
  // With custom sharding an id goes to the shards of its key.
  const probes = shards.flatMap(({ key }) => Array.from({ length: PROBES_OF_A_SHARD }, () => key)).values();
  let passed = 0;
  let refused = 0;
  let unclear: string | undefined;
  const lane = async (): Promise<void> => {
    for (const key of probes) {
      signal.throwIfAborted();
      const answer = await probe(peer, collection, { key, signal });
      if (answer === 'passed') passed += 1;
      else if (answer === 'refused') refused += 1;
      else unclear ??= answer.unclear;
    }
  };
  await Promise.all(Array.from({ length: LANES_OF_A_PEER }, lane));
  return { passed, refused, unclear };
}

type Answer = 'passed' | 'refused' | { readonly unclear: string };

async function probe(
  peer: PeerClient,
  collection: string,
  { key, signal }: { readonly key: ShardKey | undefined; readonly signal: AbortSignal },
): Promise<Answer> {
  try {
    // Asked once: a repeat after a 429 would only wait. Without `wait`: of a write that one replica has completed and
    // another refused, Qdrant marks the other one Dead.
    await peer.deletePoints(
      collection,
      { ids: [randomUUID()] },
      {
        attempts: 1,
        wait: false,
        timeout: PROBE_MILLISECONDS,
        signal,
        ...(key === undefined ? {} : { shardKey: key }),
      },
    );
    return 'passed';
  } catch (error) {
    if (isQdrantError(error, 'RateLimited') && WRITE_LIMITED.test(error.message)) return 'refused';
    return { unclear: error instanceof Error ? error.message : 'unknown failure' };
  }
}
