import { EngineError } from '../base/errors.ts';
import { holdsShards } from '../state/placement.ts';
import type { PeerId } from '../state/types.ts';
import { clusterOperation } from '../transfers/cluster-operations.ts';
import { collectionCluster } from '../transfers/view.ts';
import type { Request, Route } from './router.ts';

function cluster({ engine }: Request): unknown {
  if (!engine.settings.clusterEnabled) return { status: 'disabled' };
  const { consensus } = engine;
  // Who was removed, and who never was let in, knows itself alone.
  const members =
    !consensus.state.peers[engine.peerId] || consensus.removed
      ? { [engine.peerId]: { uri: consensus.uri } }
      : Object.fromEntries(Object.entries(consensus.state.peers).map(([id, { uri }]) => [id, { uri }]));
  return {
    status: 'enabled',
    peer_id: engine.peerId,
    peers: members,
    raft_info: consensus.raftInfo,
    consensus_thread_status: consensus.threadStatus,
    message_send_failures: consensus.sendFailures,
  };
}

/** Removes a peer. With `force` nobody looks whether it holds the last replica of a shard (S3). */
async function removePeer(request: Request): Promise<boolean> {
  const { engine } = request;
  if (!engine.settings.clusterEnabled) throw new EngineError('BadRequest', 'Distributed mode disabled');
  const peerId: PeerId = Number(request.parameter('peer_id'));
  if (!Number.isSafeInteger(peerId)) throw new EngineError('Path', 'invalid peer id');
  if (!request.flag('force', false) && holdsShards(engine.consensus.state, peerId)) {
    throw new EngineError('BadRequest', `Cannot remove peer ${peerId} as there are shards on it`);
  }
  return await engine.consensus.propose({ op: 'removePeer', peerId }, request.timeoutMs);
}

const metadataKeys = ({ engine }: Request): unknown => Object.keys(engine.consensus.state.metadata);
const metadataValue = (request: Request): unknown =>
  request.engine.consensus.state.metadata[request.parameter('key')] ?? null;

async function changeMetadata(request: Request, value: unknown): Promise<boolean> {
  const key = request.parameter('key');
  return await request.engine.consensus.propose({ op: 'metadata', key, value: value as null }, request.timeoutMs);
}

async function operate(request: Request): Promise<boolean> {
  if (!request.engine.settings.clusterEnabled) throw new EngineError('BadRequest', 'Distributed mode disabled');
  const collection = request.engine.collection(request.parameter('collection_name'));
  return await clusterOperation(request.engine, collection, {
    body: await request.body(),
    timeoutMs: request.timeoutMs,
  });
}

export const clusterRoutes: readonly Route[] = [
  { method: 'GET', path: '/cluster', right: 'read', handle: cluster },
  { method: 'POST', path: '/cluster/recover', right: 'write', handle: () => true },
  { method: 'DELETE', path: '/cluster/peer/{peer_id}', right: 'write', handle: removePeer },
  { method: 'GET', path: '/cluster/metadata/keys', right: 'read', handle: metadataKeys },
  { method: 'GET', path: '/cluster/metadata/keys/{key}', right: 'read', handle: metadataValue },
  {
    method: 'PUT',
    path: '/cluster/metadata/keys/{key}',
    right: 'write',
    handle: async (request) => changeMetadata(request, await request.json()),
  },
  {
    method: 'DELETE',
    path: '/cluster/metadata/keys/{key}',
    right: 'write',
    handle: (request) => changeMetadata(request, null),
  },
  {
    method: 'GET',
    path: '/collections/{collection_name}/cluster',
    right: 'read',
    handle: (request) =>
      collectionCluster(request.engine, request.engine.collection(request.parameter('collection_name'))),
  },
  { method: 'POST', path: '/collections/{collection_name}/cluster', right: 'write', handle: operate },
];
