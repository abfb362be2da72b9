import {
  type ClientPool,
  type Connection,
  QdrantError,
  type QdrantErrorCode,
  type ReachablePeer,
} from '../../src/qdrant/index.ts';
import type { Simulation } from './simulation.ts';

/** What is done to one call; undefined = nothing. */
export type Fault = (operation: string, peer: string) => QdrantErrorCode | undefined;

/** Peers of a simulation behind the client's own interface: what the cluster room calls of it, and nothing else. */
export class FakeQdrant {
  readonly simulation: Simulation;
  /** Key that pods accept; undefined = any. */
  accepts: string | undefined;
  fault: Fault = () => undefined;
  /** Done, and then answered with a time-out: the caller can't know. */
  ambiguous = false;
  readonly calls: string[] = [];

  constructor(simulation: Simulation) {
    this.simulation = simulation;
  }

  get pool(): ClientPool {
    const get = (_key: string, connection: Connection) => this.#cluster(connection);
    return { get, evict: () => undefined, close: () => Promise.resolve() } as unknown as ClientPool;
  }

  #cluster(connection: Connection) {
    const peers = connection.peers.map(({ name, rest }) => this.#peer({ name, rest, key: connection.apiKey }));
    return { peers, peer: (name: string) => peers.find((peer) => peer.name === name) };
  }

  #peer({ name, rest, key }: { name: string; rest: string; key: string | undefined }) {
    const ask = async <T>(operation: string, answer: (view: ReachablePeer) => T, open = false): Promise<T> => {
      this.calls.push(`${name} ${operation}`);
      const fails = (code: QdrantErrorCode, status = 0) =>
        new QdrantError({ code, status, message: code, operation, peer: name });
      const code = this.fault(operation, name);
      if (code !== undefined) throw fails(code, code === 'Internal' ? 500 : 0);
      const view = this.simulation.view().peers.find((peer) => peer.name === name);
      if (view?.reachable !== true) throw fails('Unreachable');
      if (!open && this.accepts !== undefined && key !== this.accepts) throw fails('Unauthorized', 401);
      return answer(view);
    };
    const change = (operation: string, perform: () => void) =>
      ask(operation, () => {
        perform();
        if (!this.ambiguous) return true;
        throw new QdrantError({ code: 'Timeout', message: 'timed out', operation, peer: name, ambiguous: true });
      });
    return {
      name,
      address: { name, rest },
      version: () => ask('version', ({ version }) => version, true),
      cluster: () => ask('cluster', clusterStatus),
      collections: () => ask('collections', ({ collections }) => collections.map((one) => one.name)),
      aliases: () => ask('aliases', () => []),
      collectionCluster: (collection: string) => ask('collectionCluster', (view) => collectionInfo(view, collection)),
      collection: (collection: string) =>
        ask('collection', () => ({
          config: { params: { replication_factor: this.simulation.factors.get(collection) } },
        })),
      removePeer: (peer: number, { force }: { force?: boolean }) =>
        change(`removePeer force=${force}`, () => this.simulation.perform({ kind: 'removePeer', peer, name: '' })),
      updateCollectionCluster: (collection: string, operation: Operation) =>
        change('updateCollectionCluster', () => this.#update(collection, operation)),
    };
  }

  #update(collection: string, operation: Operation): void {
    if ('drop_replica' in operation) {
      const { shard_id: shard, peer_id: peer } = operation.drop_replica;
      this.simulation.perform({ kind: 'dropReplica', collection, shard, peer });
      return;
    }
    const keepSource = 'replicate_shard' in operation;
    const {
      shard_id: shard,
      from_peer_id: from,
      to_peer_id: to,
    } = keepSource ? operation.replicate_shard : operation.move_shard;
    this.simulation.perform({ kind: 'startTransfers', transfers: [{ collection, shard, from, to, keepSource }] });
  }
}

type Way = { shard_id: number; from_peer_id: number; to_peer_id: number };
type Operation =
  | { drop_replica: { shard_id: number; peer_id: number } }
  | { replicate_shard: Way }
  | { move_shard: Way };

const clusterStatus = ({ peerId, members, raft, consensus }: ReachablePeer) => ({
  status: 'enabled',
  peer_id: peerId,
  peers: Object.fromEntries(members.map(({ peerId: id, uri }) => [id, { uri }])),
  raft_info: {
    term: raft.term,
    commit: raft.commit,
    pending_operations: 0,
    leader: raft.leader,
    role: 'Follower',
    is_voter: raft.isVoter,
  },
  consensus_thread_status: { consensus_thread_status: consensus, err: 'panic' },
  message_send_failures: {},
});

function collectionInfo(view: ReachablePeer, name: string) {
  const collection = view.collections.find((one) => one.name === name);
  const all = (collection?.shards ?? []).flatMap(({ id, replicas }) => replicas.map((replica) => ({ id, ...replica })));
  const local = all.filter(({ peerId }) => peerId === view.peerId);
  const remote = all.filter(({ peerId }) => peerId !== view.peerId);
  return {
    peer_id: view.peerId,
    shard_count: collection?.shardCount ?? 0,
    local_shards: local.map(({ id, state, points }) => ({ shard_id: id, state, points_count: points })),
    remote_shards: remote.map(({ id, state, peerId }) => ({ shard_id: id, state, peer_id: peerId })),
    shard_transfers: (collection?.transfers ?? []).map(({ shardId, from, to, sync }) => ({
      shard_id: shardId,
      from,
      to,
      sync,
    })),
  };
}
