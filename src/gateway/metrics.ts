import { Counter, Gauge, Histogram } from 'prom-client';
import { oncePerRegistry } from '../telemetry/index.ts';

/** Labels come from fixed sets: operations, statuses and codes; never a library, a cluster or a client. */
export type GatewayMetrics = {
  readonly requests: Counter<'operation' | 'status'>;
  readonly duration: Histogram<'operation'>;
  readonly attempts: Counter<'operation' | 'code'>;
  readonly inFlight: Gauge<'kind'>;
  readonly held: Gauge;
  readonly heldSeconds: Histogram;
  readonly keptBytes: Gauge;
  readonly searched: Counter<'outcome'>;
  readonly sketches: Gauge<'state'>;
};

export const metricsOf = oncePerRegistry(
  (registers): GatewayMetrics => ({
    requests: new Counter({
      name: 'qdrant_librarian_gateway_requests_total',
      help: 'Requests answered, by operation and status.',
      labelNames: ['operation', 'status'],
      registers,
    }),
    duration: new Histogram({
      name: 'qdrant_librarian_gateway_request_duration_seconds',
      help: 'Seconds until the answer began, waiting for a fence included.',
      labelNames: ['operation'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    attempts: new Counter({
      name: 'qdrant_librarian_gateway_attempts_total',
      help: 'What was sent to clusters, by operation and status, or the code of the failure.',
      labelNames: ['operation', 'code'],
      registers,
    }),
    inFlight: new Gauge({
      name: 'qdrant_librarian_gateway_in_flight',
      help: 'Requests under way: read, write or search.',
      labelNames: ['kind'],
      registers,
    }),
    held: new Gauge({
      name: 'qdrant_librarian_gateway_held_writes',
      help: 'Writes that wait for the end of a change.',
      registers,
    }),
    heldSeconds: new Histogram({
      name: 'qdrant_librarian_gateway_held_seconds',
      help: 'How long a write waited for the end of a change.',
      buckets: [0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60],
      registers,
    }),
    keptBytes: new Gauge({
      name: 'qdrant_librarian_gateway_kept_bytes',
      help: 'Bodies that are kept so that they can be sent again.',
      registers,
    }),
    searched: new Counter({
      name: 'qdrant_librarian_gateway_search_libraries_total',
      help: 'Libraries in searches across libraries: asked, skipped or failed.',
      labelNames: ['outcome'],
      registers,
    }),
    sketches: new Gauge({
      name: 'qdrant_librarian_gateway_sketches',
      help: 'Libraries whose sketch is drawn, or missing.',
      labelNames: ['state'],
      registers,
    }),
  }),
);
