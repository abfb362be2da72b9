import { randomInt } from 'node:crypto';
import { EngineError } from '../base/errors.ts';
import { holdsShards } from '../state/placement.ts';
import type { PeerId } from '../state/types.ts';
import type { Consensus } from './consensus.ts';
import { ConsensusStorage } from './storage.ts';
import type { PeerClient } from './transport.ts';

const ATTEMPT_MILLISECONDS = 12_000;
const RETRY_MILLISECONDS = 300;
/** Source: Qdrant `bootstrap_timeout_sec`. */
const BOOTSTRAP_MILLISECONDS = 15_000;

export type Joining = { readonly peerId: PeerId; readonly uri: string; readonly version: string };

// Two draws: `randomInt` spans at most 2^48.
export const newPeerId = (): PeerId => randomInt(1, 2 ** 26) * 2 ** 27 + randomInt(1, 2 ** 27);

/** Founds a cluster of one: a first snapshot that names this peer as the only voter. */
export function found(directory: string, self: Joining): ConsensusStorage {
  const hard = { this_peer_id: self.peerId, uri: self.uri, term: 0, vote: null, commit: 1, removed: false };
  const storage = ConsensusStorage.create(directory, hard);
  const peers = { [self.peerId]: { uri: self.uri, voter: true, version: self.version } };
  storage.compact({ index: 1, term: 0, state: { peers, collections: {}, aliases: {}, metadata: {} } });
  return storage;
}

/**
 * Asks a member to let this peer in.
 * @throws EngineError `Precondition` when the URI belongs to another id with shards; otherwise the last failure
 */
export async function join(client: PeerClient, bootstrap: string, self: Joining): Promise<void> {
  const deadline = Date.now() + BOOTSTRAP_MILLISECONDS;
  for (;;) {
    try {
      await client.call(bootstrap, 'join', { body: self, timeoutMs: ATTEMPT_MILLISECONDS });
      return;
    } catch (error) {
      if ((error instanceof EngineError && error.kind === 'Precondition') || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
    }
  }
}

/** The storage of a peer that belongs to no cluster yet: once it is let in, the leader fills it. */
export function outsider(directory: string, self: Joining): ConsensusStorage {
  const hard = { this_peer_id: self.peerId, uri: self.uri, term: 0, vote: null, commit: 0, removed: false };
  return ConsensusStorage.create(directory, hard);
}

/** A member's side of joining. Since 1.17.1 an old id with the same URI goes by itself if it holds no shards. */
export async function letIn(consensus: Consensus, joining: Joining): Promise<{ peers: number }> {
  const former = Object.entries(consensus.state.peers).find(
    ([id, peer]) => peer.uri === joining.uri && Number(id) !== joining.peerId,
  );
  if (former) {
    const old = Number(former[0]);
    if (holdsShards(consensus.state, old)) {
      throw new EngineError(
        'Precondition',
        `peer URI ${joining.uri} already used by peer ${old} which still has shards, remove it first or use a different URI`,
      );
    }
    await consensus.propose({ op: 'removePeer', peerId: old });
  }
  if (!consensus.state.peers[joining.peerId]) await consensus.propose({ op: 'addPeer', ...joining });
  return { peers: Object.keys(consensus.state.peers).length };
}
