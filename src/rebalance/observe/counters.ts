import { parseExposition, type Sample } from './exposition.ts';
import { addBuckets, type Buckets } from './histogram.ts';

/** What a peer counted for one collection since its process began. */
export type Counters = {
  readonly reads: number;
  readonly writes: number;
  /** Answered with 429 or 5xx, or their likes in gRPC; among reads and writes, too. */
  readonly failures: number;
  /** Time spent on requests that succeeded, in seconds: Qdrant times no others. */
  readonly busySeconds: number;
  /** Latencies of searches. */
  readonly searches: Buckets;
};

export type PeerCounters = {
  /** Undefined where the peer tells only sums over all collections: before Qdrant 1.17.1. */
  readonly collections: ReadonlyMap<string, Counters> | undefined;
  readonly total: Counters;
  /** Collections that are being optimised, or have updates queued. */
  readonly unsettled: ReadonlySet<string>;
};

const WRITE =
  /\/(?:index|points\/(?:batch|delete|payload.*|vectors.*)|vectors\/[^/]+)$|^\/qdrant\.Points\/(?:Upsert|Delete.*|UpdateBatch|UpdateVectors|SetPayload|OverwritePayload|ClearPayload|Create.*)$/;
const SEARCH = /\/points\/(?:search|query|recommend|discover)|^\/qdrant\.Points\/(?:Search|Query|Recommend|Discover)/;
/** gRPC statuses: DeadlineExceeded, ResourceExhausted, Internal, Unavailable. */
const FAILED = new Set(['429', '4', '8', '13', '14']);

/** `PUT /collections/{collection_name}/points` writes, `POST` of the same reads. */
const isWrite = ({ endpoint = '', method }: Sample['labels']): boolean =>
  WRITE.test(endpoint) || (endpoint.endsWith('/points') && method === 'PUT');

const isFailure = ({ status = '', method }: Sample['labels']): boolean =>
  method === undefined ? FAILED.has(status) : status === '429' || status.startsWith('5');

/** A name that may have a prefix: `service.metrics_prefix` is put before every one. */
const SERIES =
  /(?:rest|grpc)_responses_(total|duration_seconds_sum|duration_seconds_bucket)$|(collection_running_optimizations|collection_update_queue_length)$/;

/** @param text of `/metrics?per_collection=true`; Source: Qdrant `metrics.rs`, v1.18.3 */
export function peerCounters(text: string): PeerCounters {
  const collections = new Map<string, Sample[]>();
  const requests: Sample[] = [];
  const unsettled = new Set<string>();
  for (const sample of parseExposition(text)) {
    const [, request, gauge] = SERIES.exec(sample.name) ?? [];
    const { collection, id } = sample.labels;
    if (gauge !== undefined && id !== undefined && sample.value > 0) unsettled.add(id);
    if (request === undefined) continue;
    requests.push(sample);
    if (collection !== undefined) collections.set(collection, [...(collections.get(collection) ?? []), sample]);
  }
  const told = requests.length === 0 || requests.some(({ labels }) => labels['collection'] !== undefined);
  return {
    collections: told ? new Map([...collections].map(([name, samples]) => [name, summed(samples)])) : undefined,
    total: summed(requests),
    unsettled,
  };
}

function summed(samples: readonly Sample[]): Counters {
  const sum = (kind: string, which: (labels: Sample['labels']) => boolean): number =>
    samples
      .filter(({ name, labels }) => name.endsWith(kind) && which(labels))
      .reduce((total, { value }) => total + value, 0);
  return {
    reads: sum('_total', (labels) => !isWrite(labels)),
    writes: sum('_total', isWrite),
    failures: sum('_total', isFailure),
    busySeconds: sum('_sum', () => true),
    searches: addBuckets(
      samples
        .filter(({ name, labels }) => name.endsWith('_bucket') && SEARCH.test(labels['endpoint'] ?? ''))
        .map(({ labels, value }) => new Map([[labels['le'] === '+Inf' ? Infinity : Number(labels['le']), value]])),
    ),
  };
}
