import { isOptimizing } from '../collection/shard-info.ts';
import type { Engine } from '../engine.ts';
import type { CollectionState } from '../state/types.ts';
import { BUCKETS, type RequestCounters, type Series } from './counters.ts';
import { localDescription, memory } from './local-facts.ts';

type Labels = Readonly<Record<string, string | number>>;
type Sample = readonly [labels: Labels, value: number];

/** Only these endpoints are exported. Source: Qdrant `metrics.rs`. */
const EXPORTED =
  /^\/collections\/\{collection_name\}\/(index|points(\/(batch|count|delete|payload.*|query.*|scroll|search.*|vectors.*))?|vectors\/.*)$/;

class Exposition {
  readonly #lines: string[] = [];
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  add(
    metric: { name: string; help: string; type: 'gauge' | 'counter' | 'histogram' },
    samples: readonly Sample[],
  ): void {
    if (samples.length === 0) return;
    this.#lines.push(
      `# HELP ${this.#prefix}${metric.name} ${metric.help}`,
      `# TYPE ${this.#prefix}${metric.name} ${metric.type}`,
    );
    for (const [labels, value] of samples)
      this.#lines.push(`${this.#prefix}${metric.name}${labelText(labels)} ${value}`);
  }

  gauge(name: string, help: string, samples: readonly Sample[]): void {
    this.add({ name, help, type: 'gauge' }, samples);
  }

  counter(name: string, help: string, samples: readonly Sample[]): void {
    this.add({ name, help, type: 'counter' }, samples);
  }

  raw(name: string, labels: Labels, value: number): void {
    this.#lines.push(`${this.#prefix}${name}${labelText(labels)} ${value}`);
  }

  head(name: string, help: string, type: string): void {
    this.#lines.push(`# HELP ${this.#prefix}${name} ${help}`, `# TYPE ${this.#prefix}${name} ${type}`);
  }

  text(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`,
  );
  return parts.length > 0 ? `{${parts.join(',')}}` : '';
}

/** GET /metrics in Prometheus' text format; `perCollection` replaces the request series by ones with a collection label. */
export function metricsText(engine: Engine, counters: RequestCounters, perCollection: boolean): string {
  const out = new Exposition(engine.settings.metricsPrefix);
  const collections = Object.values(engine.consensus.state.collections);
  out.gauge('app_info', 'information about qdrant server', [[{ name: 'qdrant', version: engine.settings.version }, 1]]);
  out.gauge('app_status_recovery_mode', 'features enabled in qdrant server', [[{}, 0]]);
  collectionMetrics(out, engine, collections);
  clusterMetrics(out, engine);
  requestMetrics(out, [...(perCollection ? counters.perCollection : counters.total).values()]);
  for (const [name, bytes] of Object.entries(memory()))
    out.gauge(`memory_${name}`, `${name.replaceAll('_', ' ')} of the process`, [[{}, bytes]]);
  return out.text();
}

function collectionMetrics(out: Exposition, engine: Engine, collections: readonly CollectionState[]): void {
  const described = collections.map((collection) => ({
    collection,
    shards: collection.shards.flatMap((shard) => localDescription(engine, collection, shard) ?? []),
  }));
  const each = (value: (one: CollectionState, shards: (typeof described)[number]['shards']) => number): Sample[] =>
    described.map(({ collection, shards }) => [{ id: collection.name }, value(collection, shards)]);
  const vectors = described.flatMap(({ collection, shards }) => {
    const names = [...new Set(shards.flatMap((shard) => Object.keys(shard.vectorsByName)))];
    return names.map((vector): Sample => {
      const total = shards.reduce((sum, shard) => sum + (shard.vectorsByName[vector] ?? 0), 0);
      return [{ collection: collection.name, vector }, total];
    });
  });
  const all = collections.flatMap(({ shards }) => shards);
  const active = all.map(({ replicas }) => Object.values(replicas).filter((state) => state === 'Active').length);
  const dead = all.filter(({ replicas }) => Object.values(replicas).some((state) => state !== 'Active')).length;
  const counts = (name: 'creating' | 'recovering' | 'created'): Sample[] =>
    each(({ uuid }) => engine.snapshotCounters.get(uuid)?.[name] ?? 0);
  const transfers = (end: 'from' | 'to'): Sample[] =>
    each((one) => one.transfers.filter((transfer) => transfer[end] === engine.peerId).length);
  out.gauge('collections_total', 'number of collections', [[{}, collections.length]]);
  out.gauge('collections_vector_total', 'total number of vectors in all collections', [
    [{}, vectors.reduce((sum, [, value]) => sum + value, 0)],
  ]);
  out.gauge('collection_vectors', 'amount of vectors grouped by vector name', vectors);
  if (active.length > 0) {
    out.gauge('collection_active_replicas_min', 'minimum number of active replicas across all shards', [
      [{}, Math.min(...active)],
    ]);
    out.gauge('collection_active_replicas_max', 'maximum number of active replicas across all shards', [
      [{}, Math.max(...active)],
    ]);
  }
  out.gauge(
    'collection_running_optimizations',
    'number of currently running optimization tasks per collection',
    each((one) => Number(isOptimizing(engine, one))),
  );
  out.gauge(
    'collection_points',
    'approximate amount of points per collection',
    each((_, shards) => shards.reduce((sum, shard) => sum + shard.points, 0)),
  );
  out.gauge('collection_dead_replicas', 'total amount of shard replicas in non-active state', [[{}, dead]]);
  out.gauge('snapshot_creation_running', 'amount of snapshot creations that are currently running', counts('creating'));
  out.gauge(
    'snapshot_recovery_running',
    'amount of snapshot recovery operations currently running',
    counts('recovering'),
  );
  out.counter('snapshot_created_total', 'total amount of snapshots created', counts('created'));
  out.gauge('collection_shard_transfer_incoming', 'incoming shard transfers currently running', transfers('to'));
  out.gauge('collection_shard_transfer_outgoing', 'outgoing shard transfers currently running', transfers('from'));
  out.gauge(
    'collection_update_queue_length',
    'number of pending operations in update queues per collection',
    each(() => 0),
  );
  out.gauge(
    'collection_update_queue_deferred_points',
    "number of points currently hidden during read operations as they're not yet optimized",
    each(() => 0),
  );
}

function clusterMetrics(out: Exposition, engine: Engine): void {
  const { settings, consensus } = engine;
  out.gauge('cluster_enabled', 'is cluster support enabled', [[{}, Number(settings.clusterEnabled)]]);
  if (!settings.clusterEnabled) return;
  const { term, commit, pending_operations, is_voter } = consensus.raftInfo;
  const status = consensus.threadStatus;
  const working = status.consensus_thread_status === 'working';
  out.gauge('cluster_peers_total', 'total number of cluster peers', [[{}, Object.keys(consensus.state.peers).length]]);
  out.counter('cluster_term', 'current cluster term', [[{}, term]]);
  out.counter('cluster_commit', 'index of last committed (finalized) operation cluster peer is aware of', [
    [{ peer_id: engine.peerId }, commit],
  ]);
  out.gauge('cluster_pending_operations_total', 'total number of pending operations for cluster peer', [
    [{}, pending_operations],
  ]);
  out.gauge('cluster_voter', 'is cluster peer a voter or learner', [[{}, Number(is_voter)]]);
  if (status.consensus_thread_status === 'working') {
    const seconds = Math.floor(Date.parse(status.last_update) / 1000);
    out.counter('cluster_last_update_timestamp_seconds', 'unix timestamp of last update', [[{}, seconds]]);
  }
  out.gauge('cluster_working_state', 'working state of the cluster', [
    [{ state: 'working' }, Number(working)],
    [{ state: 'stopped' }, Number(!working)],
  ]);
}

function requestMetrics(out: Exposition, all: readonly Series[]): void {
  const shown = all.filter(({ endpoint }) => EXPORTED.test(endpoint));
  const timed = shown.filter(({ status }) => status === 200);
  const labels = ({ method, endpoint, status, collection }: Series): Labels => ({
    method,
    endpoint,
    status,
    ...(collection === undefined ? {} : { collection }),
  });
  const samples = (list: readonly Series[], value: (one: Series) => number): Sample[] =>
    list.map((one) => [labels(one), value(one)]);
  out.counter(
    'rest_responses_total',
    'total number of responses',
    samples(shown, (one) => one.count),
  );
  out.gauge(
    'rest_responses_avg_duration_seconds',
    'average response duration',
    samples(timed, (one) => one.sum / one.count),
  );
  out.gauge(
    'rest_responses_min_duration_seconds',
    'minimum response duration',
    samples(timed, (one) => one.min),
  );
  out.gauge(
    'rest_responses_max_duration_seconds',
    'maximum response duration',
    samples(timed, (one) => one.max),
  );
  const name = 'rest_responses_duration_seconds';
  if (timed.length > 0) out.head(name, 'response duration histogram', 'histogram');
  for (const one of timed) {
    for (const [index, limit] of BUCKETS.entries())
      out.raw(`${name}_bucket`, { ...labels(one), le: limit }, one.buckets[index] ?? 0);
    out.raw(`${name}_bucket`, { ...labels(one), le: '+Inf' }, one.count);
    out.raw(`${name}_sum`, labels(one), one.sum);
    out.raw(`${name}_count`, labels(one), one.count);
  }
}
