import {
  type CallOptions,
  type ClusterClient,
  collectionView,
  isQdrantError,
  type PeerClient,
  type Schemas,
} from '../qdrant/index.ts';
import type { Look, PeerLook, SilentPeer } from './look.ts';
import { generationName } from './names.ts';

export type ObserveOptions = {
  /** Public name of the library. */
  readonly collection: string;
  /** Further collections that are looked at: those that its status names. */
  readonly also: readonly string[];
  readonly everyPeerListed: boolean;
  readonly signal: AbortSignal;
  /** Where answers that don't concern one library alone come from: the peer, or another library's look. */
  readonly common: (peer: PeerClient, ask: () => Promise<CommonAnswers>) => Promise<CommonAnswers>;
};

/** What a peer tells every library alike. */
export type CommonAnswers = Pick<
  PeerLook,
  'version' | 'distributed' | 'peerId' | 'memberIds' | 'consensus' | 'collections' | 'aliases'
>;

/** Asks every peer for its own view. Never throws for a peer that fails: that is part of the look. */
export async function observe(client: Pick<ClusterClient, 'peers'>, options: ObserveOptions): Promise<Look> {
  const answers = await Promise.all(
    client.peers.map(async (peer) => {
      try {
        return { peer: await lookAt(peer, options) };
      } catch (error) {
        return { silent: silence(peer.name, error) };
      }
    }),
  );
  options.signal.throwIfAborted();
  return {
    everyPeerListed: options.everyPeerListed,
    peers: answers.flatMap(({ peer }) => (peer === undefined ? [] : [peer])),
    silent: answers.flatMap(({ silent }) => (silent === undefined ? [] : [silent])),
  };
}

function silence(name: string, error: unknown): SilentPeer {
  if (!isQdrantError(error)) return { name, error: "its answer has not the form of Qdrant's", status: 200 };
  return { name, error: error.message, status: error.status, code: error.code };
}

async function lookAt(peer: PeerClient, options: ObserveOptions): Promise<PeerLook> {
  const { collection, also, signal } = options;
  const call: CallOptions = { attempts: 1, signal };
  const answers = await options.common(peer, () => askCommon(peer, call));
  const { collections, aliases } = answers;
  const wanted = new Set([collection, aliases[collection], ...also]);
  const prefix = generationName(collection, 0).slice(0, -1);
  const names = collections.filter((name) => wanted.has(name) || isGeneration(name, prefix));
  const own = await Promise.all(names.map((name) => lookInto(peer, name, call)));
  return {
    name: peer.name,
    ...answers,
    own: Object.fromEntries(own.flatMap((entry) => (entry === undefined ? [] : [[entry.name, entry]]))),
  };
}

async function askCommon(peer: PeerClient, call: CallOptions): Promise<CommonAnswers> {
  // First alone, for its short time limit.
  const version = await peer.version(call);
  const [status, collections, list] = await Promise.all([
    peer.cluster(call),
    peer.collections(call),
    peer.aliases(call),
  ]);
  const aliases = Object.fromEntries(list.map(({ alias, collection }) => [alias, collection]));
  return { version, ...membership(status), collections, aliases };
}

const isGeneration = (name: string, prefix: string): boolean =>
  name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length));

/** Undefined for a collection that was dropped since it was listed. */
async function lookInto(peer: PeerClient, name: string, call: CallOptions) {
  try {
    const [info, cluster] = await Promise.all([peer.collection(name, call), peer.collectionCluster(name, call)]);
    // What is missing here would be taken for a setting that was removed.
    if (typeof info.config?.params !== 'object' || typeof info.config.hnsw_config !== 'object') {
      throw new TypeError("a collection without configuration is none of Qdrant's");
    }
    return { name, info, view: collectionView(name, cluster) };
  } catch (error) {
    if (isQdrantError(error, 'NotFound')) return undefined;
    throw error;
  }
}

function membership(
  status: Schemas['ClusterStatus'],
): Pick<PeerLook, 'distributed' | 'peerId' | 'memberIds' | 'consensus'> {
  if (status.status === 'disabled') return { distributed: false, peerId: 0, memberIds: [0], consensus: 'working' };
  return {
    distributed: true,
    peerId: status.peer_id,
    memberIds: Object.keys(status.peers).map(Number),
    consensus: status.consensus_thread_status.consensus_thread_status,
  };
}
