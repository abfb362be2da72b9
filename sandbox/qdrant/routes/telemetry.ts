import { randomUUID } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { EngineError } from '../base/errors.ts';
import type { describeShard } from '../collection/shard-info.ts';
import type { Engine } from '../engine.ts';
import type { CollectionState, ShardState } from '../state/types.ts';
import { transfersView } from '../transfers/view.ts';
import type { RequestCounters, Series } from './counters.ts';
import { localDescription, memory } from './local-facts.ts';
import { metricsText } from './metrics.ts';
import { PlainAnswer, type Request, type Route } from './router.ts';

const DEFAULT_TIMEOUT_MILLISECONDS = 60_000;
const id = randomUUID();

function level(request: Request): number {
  const text = request.query.get('details_level') ?? '0';
  if (!/^\d+$/.test(text)) throw new EngineError('Query', 'invalid digit found in string');
  return Number(text);
}

/** GET /telemetry: this peer, in more detail with each level. */
function telemetry(engine: Engine, counters: RequestCounters, detail: number): object {
  return {
    id,
    app: app(engine, detail),
    collections: collections(engine, detail),
    cluster: cluster(engine, detail),
    requests: { rest: { responses: responses(counters, detail) }, grpc: { responses: {} } },
    ...(detail >= 1 ? { memory: memory() } : {}),
  };
}

/** In KiB. */
function diskSize(path: string): number {
  const { blocks, bsize } = statfsSync(path);
  return Math.floor((blocks * bsize) / 1024);
}

/** Of the machine, as Qdrant tells it: a container's limits are not in it. */
const machine = ({ settings }: Engine): object => ({
  is_docker: false,
  cores: availableParallelism(),
  ram_size: Math.floor(totalmem() / 1024),
  disk_size: diskSize(settings.storagePath),
});

function app(engine: Engine, detail: number): object {
  const { settings, startedAt } = engine;
  return {
    name: 'qdrant',
    version: settings.version,
    ...(detail >= 1 ? { features: { recovery_mode: false }, system: machine(engine) } : {}),
    startup: startedAt.toISOString(),
  };
}

function collections(engine: Engine, detail: number): object {
  const all = Object.values(engine.consensus.state.collections);
  const counters = all.map(({ name, uuid }) => ({ id: name, ...snapshotCounts(engine, uuid) }));
  return {
    number_of_collections: all.length,
    ...(detail === 1 ? { collections: all.map((one) => aggregated(engine, one)), snapshots: counters } : {}),
    ...(detail >= 2 ? { collections: all.map((one) => detailed(engine, one, detail)), snapshots: counters } : {}),
  };
}

export function snapshotCounts(engine: Engine, uuid: string): Record<string, number> {
  const counts = engine.snapshotCounters.get(uuid);
  return {
    running_snapshots: counts?.creating ?? 0,
    running_snapshot_recovery: counts?.recovering ?? 0,
    total_snapshot_creations: counts?.created ?? 0,
  };
}

function aggregated(engine: Engine, collection: CollectionState): object {
  const vectors = collection.shards.reduce(
    (sum, shard) => sum + (localDescription(engine, collection, shard)?.vectors ?? 0),
    0,
  );
  return { vectors, optimizers_status: 'ok', params: collection.config.params };
}

function detailed(engine: Engine, collection: CollectionState, detail: number): object {
  const base = { id: collection.name, init_time_ms: 1, config: { ...collection.config, uuid: collection.uuid } };
  if (detail < 3) return base;
  return {
    ...base,
    shards: collection.shards.map((shard) => shardTelemetry(engine, collection, shard)),
    transfers: transfersView(engine, collection),
    resharding: [],
  };
}

function shardTelemetry(engine: Engine, collection: CollectionState, shard: ShardState): object {
  const described = localDescription(engine, collection, shard);
  const operations = engine.shards.get(collection.uuid, shard.id)?.operations ?? 0;
  return {
    id: shard.id,
    key: shard.key ?? null,
    local: described
      ? {
          variant_name: 'local shard',
          ...sizes(described),
          segments: [],
          optimizations: { status: 'ok' },
          update_queue: { length: 0, op_num: operations },
        }
      : null,
    remote: Object.keys(shard.replicas)
      .filter((peer) => Number(peer) !== engine.peerId)
      .map((peer) => ({ shard_id: shard.id, peer_id: Number(peer) })),
    replicate_states: shard.replicas,
  };
}

function sizes(described: ReturnType<typeof describeShard>): object {
  return {
    status: described.status,
    total_optimized_points: 0,
    vectors_size_bytes: described.vectorBytes,
    payloads_size_bytes: described.payloadBytes,
    num_points: described.points,
    num_vectors: described.vectors,
    num_vectors_by_name: described.vectorsByName,
  };
}

function cluster(engine: Engine, detail: number): object {
  const { consensus, settings } = engine;
  const enabled = settings.clusterEnabled;
  if (!enabled || detail < 1) return { enabled, ...(enabled ? { resharding_enabled: false } : {}) };
  const { role, term, commit, pending_operations, is_voter } = consensus.raftInfo;
  const peers = Object.entries(consensus.state.peers);
  return {
    enabled,
    status: {
      number_of_peers: peers.length,
      term,
      commit,
      pending_operations,
      role,
      is_voter,
      peer_id: engine.peerId,
      consensus_thread_status: consensus.threadStatus,
    },
    ...(detail >= 2 ? { peers: Object.fromEntries(peers.map(([peer, { uri }]) => [peer, { uri }])) } : {}),
    ...(detail >= 3
      ? { peer_metadata: Object.fromEntries(peers.map(([peer, { version }]) => [peer, { version }])) }
      : {}),
    metadata: consensus.state.metadata,
    resharding_enabled: false,
  };
}

function responses(counters: RequestCounters, detail: number): object {
  const all: Record<string, Record<string, object>> = {};
  for (const series of counters.total.values()) {
    const name = `${series.method} ${series.endpoint}`;
    const entry = all[name] ?? {};
    entry[String(series.status)] = responseOf(series, detail);
    all[name] = entry;
  }
  return all;
}

function responseOf(series: Series, detail: number): object {
  const micros = (seconds: number): number => Math.round(seconds * 1e6);
  const base = { count: series.count, avg_duration_micros: micros(series.sum / series.count) };
  if (detail < 1) return base;
  return {
    ...base,
    min_duration_micros: micros(series.min),
    max_duration_micros: micros(series.max),
    total_duration_micros: micros(series.sum),
    last_responded: series.last.toISOString(),
  };
}

/** What one peer contributes to GET /cluster/telemetry. */
type PeerReport = {
  readonly details: object;
  readonly collections: Readonly<Record<string, { readonly id: number; readonly replica: object }[]>>;
};

export function peerReport(engine: Engine, detail: number): PeerReport {
  const { consensus, settings } = engine;
  const { role, term, commit, pending_operations, is_voter } = consensus.raftInfo;
  return {
    details: {
      version: settings.version,
      role,
      is_voter,
      term,
      commit,
      num_pending_operations: pending_operations,
      consensus_thread_status: consensus.threadStatus,
    },
    collections:
      detail < 3
        ? {}
        : Object.fromEntries(
            Object.values(consensus.state.collections).map((one) => [one.name, localReplicas(engine, one)]),
          ),
  };
}

function localReplicas(engine: Engine, collection: CollectionState): { id: number; replica: object }[] {
  return collection.shards.flatMap((shard) => {
    const state = shard.replicas[engine.peerId];
    const described = localDescription(engine, collection, shard);
    return state === undefined || !described
      ? []
      : [{ id: shard.id, replica: { peer_id: engine.peerId, state, ...sizes(described) } }];
  });
}

/** GET /cluster/telemetry: all peers asked by this one; silent ones are `responsive: false`. */
async function clusterTelemetry(engine: Engine, options: { detail: number; timeoutMs: number }): Promise<object> {
  if (!engine.settings.clusterEnabled) throw new EngineError('BadRequest', 'Distributed mode disabled');
  const peers = Object.entries(engine.consensus.state.peers);
  const reports = new Map<string, PeerReport | undefined>();
  await Promise.all(
    peers.map(async ([peer, { uri }]) =>
      reports.set(peer, await askPeer(engine, { peer: Number(peer), uri, ...options })),
    ),
  );
  return {
    collections: Object.fromEntries(
      Object.values(engine.consensus.state.collections).map((one) => [
        one.name,
        merged(engine, one, { reports, detail: options.detail }),
      ]),
    ),
    cluster: {
      enabled: true,
      number_of_peers: peers.length,
      peers: Object.fromEntries(
        peers.map(([peer, { uri }]) => {
          const report = reports.get(peer);
          return [peer, report ? { uri, responsive: true, details: report.details } : { uri, responsive: false }];
        }),
      ),
    },
  };
}

async function askPeer(
  engine: Engine,
  ask: { peer: number; uri: string; detail: number; timeoutMs: number },
): Promise<PeerReport | undefined> {
  if (ask.peer === engine.peerId) return peerReport(engine, ask.detail);
  try {
    return (await engine.client.call(ask.uri, 'telemetry', {
      body: { detail: ask.detail },
      timeoutMs: ask.timeoutMs,
    })) as PeerReport;
  } catch {
    return undefined;
  }
}

function merged(
  engine: Engine,
  collection: CollectionState,
  from: { reports: ReadonlyMap<string, PeerReport | undefined>; detail: number },
): object {
  if (from.detail < 3) return { id: collection.name };
  const transfers = transfersView(engine, collection);
  return {
    id: collection.name,
    shards: collection.shards.map((shard) => ({
      id: shard.id,
      ...(shard.key === undefined ? {} : { key: shard.key }),
      replicas: Object.entries(shard.replicas).map(([peer, state]) => {
        const found = from.reports
          .get(peer)
          ?.collections[collection.name]?.find(({ id: shardId }) => shardId === shard.id);
        return found?.replica ?? { peer_id: Number(peer), state };
      }),
    })),
    ...(transfers.length > 0 ? { shard_transfers: transfers } : {}),
  };
}

export function telemetryRoutes(engine: Engine, counters: RequestCounters): Route[] {
  engine.reports = (body) => peerReport(engine, (body as { detail: number }).detail);
  return [
    {
      method: 'GET',
      path: '/telemetry',
      right: 'read',
      handle: (request) => telemetry(engine, counters, level(request)),
    },
    {
      method: 'GET',
      path: '/cluster/telemetry',
      right: 'read',
      handle: (request) =>
        clusterTelemetry(engine, {
          detail: Math.max(2, level(request)),
          timeoutMs: request.timeoutMs ?? DEFAULT_TIMEOUT_MILLISECONDS,
        }),
    },
    {
      method: 'GET',
      path: '/metrics',
      right: 'read',
      handle: (request) =>
        new PlainAnswer({
          kind: 'text',
          status: 200,
          text: metricsText(engine, counters, request.flag('per_collection', false)),
        }),
    },
  ];
}
