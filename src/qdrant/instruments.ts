import { Counter, Gauge, Histogram } from 'prom-client';
import { oncePerRegistry } from '../telemetry/index.ts';

/** Labels come from fixed sets only: operations of this client and error codes; never a collection, a peer or a URL. */
export type Instruments = {
  readonly requests: Counter<'operation' | 'code'>;
  readonly duration: Histogram<'operation'>;
  readonly retries: Counter<'operation' | 'code'>;
  readonly inFlight: Gauge<'operation'>;
};

/** The client's metrics in a registry; all clients of one registry share them. */
export const instrumentsOf = oncePerRegistry(
  (registers): Instruments => ({
    requests: new Counter({
      name: 'qdrant_client_requests_total',
      help: 'Attempts sent to Qdrant by outcome; code is ok or the code of the error',
      labelNames: ['operation', 'code'],
      registers,
    }),
    duration: new Histogram({
      name: 'qdrant_client_request_duration_seconds',
      help: 'Seconds from sending an attempt to its whole answer',
      labelNames: ['operation'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers,
    }),
    retries: new Counter({
      name: 'qdrant_client_retries_total',
      help: 'Attempts that were repeated, by the error that made it necessary',
      labelNames: ['operation', 'code'],
      registers,
    }),
    inFlight: new Gauge({
      name: 'qdrant_client_in_flight',
      help: 'Operations that wait for an answer',
      labelNames: ['operation'],
      registers,
    }),
  }),
);
