import { Counter, Gauge, Histogram } from 'prom-client';
import { oncePerRegistry } from '../../telemetry/index.ts';

/** Labels come from fixed sets only: protocols and error codes; never a model, a host or a text. */
export type Instruments = {
  readonly requests: Counter<'protocol' | 'code'>;
  readonly duration: Histogram<'protocol'>;
  readonly retries: Counter<'protocol' | 'code'>;
  readonly texts: Counter<'protocol' | 'source'>;
  readonly tokens: Counter<'protocol'>;
  readonly inFlight: Gauge<'protocol'>;
  readonly window: Gauge<'protocol'>;
};

/** The metrics of embedding in a registry; all clients of one registry share them. */
export const instrumentsOf = oncePerRegistry(
  (registers): Instruments => ({
    requests: new Counter({
      name: 'embedder_client_requests_total',
      help: 'Attempts sent to embedders by outcome; code is ok or the code of the error',
      labelNames: ['protocol', 'code'],
      registers,
    }),
    duration: new Histogram({
      name: 'embedder_client_request_duration_seconds',
      help: 'Seconds from sending an attempt to its whole answer',
      labelNames: ['protocol'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
      registers,
    }),
    retries: new Counter({
      name: 'embedder_client_retries_total',
      help: 'Attempts that were repeated, by the error that made it necessary',
      labelNames: ['protocol', 'code'],
      registers,
    }),
    texts: new Counter({
      name: 'embedder_client_texts_total',
      help: 'Texts by where their vector came from: endpoint, cache, or refused when they got none',
      labelNames: ['protocol', 'source'],
      registers,
    }),
    tokens: new Counter({
      name: 'embedder_client_tokens_total',
      help: 'Tokens paid for, as the endpoint counts where it tells',
      labelNames: ['protocol'],
      registers,
    }),
    inFlight: new Gauge({
      name: 'embedder_client_in_flight',
      help: 'Requests that wait for an answer',
      labelNames: ['protocol'],
      registers,
    }),
    window: new Gauge({
      name: 'embedder_client_window',
      help: 'Requests that may run at a time, as overload and success have set it',
      labelNames: ['protocol'],
      registers,
    }),
  }),
);
