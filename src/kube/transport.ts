import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { Connection, TlsMaterial } from './connection.ts';
import { counter, histogram, type Registry } from './metrics.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type RawRequest = {
  readonly method: Method;
  /** Path with query. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export type RawResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable & { text(): Promise<string>; dump(): Promise<void> };
};

type TransportOptions = { readonly connection: Connection; readonly userAgent: string; readonly metrics: Registry };

/** How long a socket may idle before it is closed; the server may ask for less in its `Keep-Alive` header. */
const KEEP_ALIVE_MILLISECONDS = 30_000;

/** Sends requests over one pool, with credentials; knows no retries. A change of certificates makes a new pool. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #origin: string;
  readonly #basePath: string;
  readonly #host: string;
  readonly #requests;
  readonly #durations;
  #pool: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;
  readonly #retired = new Set<Dispatcher>();
  #closed = false;

  constructor(options: TransportOptions) {
    this.#options = options;
    const url = new URL(options.connection.server);
    this.#origin = url.origin;
    this.#basePath = url.pathname.replace(/\/$/, '');
    this.#host = url.host;
    this.#requests = counter(options.metrics, {
      name: 'rest_client_requests_total',
      help: 'Number of HTTP requests, partitioned by status code, method, and host.',
      labelNames: ['code', 'method', 'host'],
    });
    this.#durations = histogram(options.metrics, {
      name: 'rest_client_request_duration_seconds',
      help: 'Request latency in seconds. Broken down by verb, and host.',
      labelNames: ['verb', 'host'],
      buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
    });
  }

  /** Resolves when the headers are there. Rejects with undici's errors, or with the signal's reason. */
  async send(request: RawRequest, signal: AbortSignal): Promise<RawResponse> {
    if (this.#closed) throw new Error('the client is closed');
    signal.throwIfAborted();
    const begun = performance.now();
    const label = { method: request.method, host: this.#host };
    try {
      const { headers, tls } = await this.#options.connection.credentials();
      const response = await this.#dispatcher(tls).request({
        origin: this.#origin,
        path: this.#basePath + request.path,
        method: request.method,
        headers: { ...headers, ...this.#headers(request) },
        body: request.body ?? null,
        signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      if (response.statusCode === 401) this.#options.connection.forget?.();
      this.#requests.inc({ code: String(response.statusCode), ...label });
      return { status: response.statusCode, headers: response.headers, body: response.body };
    } catch (error) {
      this.#requests.inc({ code: '<error>', ...label });
      throw error;
    } finally {
      this.#durations.observe({ verb: request.method, host: this.#host }, (performance.now() - begun) / 1000);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#retired, ...(this.#pool === undefined ? [] : [this.#pool.dispatcher])];
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  #headers(request: RawRequest): Record<string, string> {
    return {
      accept: request.accept ?? 'application/json',
      'user-agent': this.#options.userAgent,
      ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      ...request.headers,
    };
  }

  #dispatcher(tls: TlsMaterial): Dispatcher {
    const key = JSON.stringify(tls);
    if (this.#pool?.key === key) return this.#pool.dispatcher;
    const replaced = this.#pool?.dispatcher;
    this.#pool = { key, dispatcher: newPool(tls) };
    // Watches of the old pool run on to their end, which may take minutes.
    if (replaced !== undefined) this.#retire(replaced);
    return this.#pool.dispatcher;
  }

  #retire(dispatcher: Dispatcher): void {
    this.#retired.add(dispatcher);
    const forget = (): void => void this.#retired.delete(dispatcher);
    dispatcher.close().then(forget, forget);
  }
}

function newPool(tls: TlsMaterial): Dispatcher {
  const material = {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.insecure === true ? { rejectUnauthorized: false } : {}),
  };
  // HTTP/1.1 on purpose: one stalled HTTP/2 connection would stall every watch at once.
  const pool = { allowH2: false, keepAliveTimeout: KEEP_ALIVE_MILLISECONDS, connect: material };
  return tls.proxyUrl === undefined
    ? new Agent(pool)
    : new ProxyAgent({ ...pool, uri: tls.proxyUrl, requestTls: material });
}
