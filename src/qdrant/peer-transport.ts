import type { Readable } from 'node:stream';
import type { Agent } from 'undici';
import { type Deadline, startDeadline } from '../http/index.ts';
import { httpUrl } from './address.ts';
import type { Attempt } from './attempt.ts';
import { QdrantError } from './errors.ts';
import { aborted, closedUnderReuse, type Origin, refused, timedOut, unanswered } from './faults.ts';
import type { GrpcPoints } from './grpc.ts';
import type { PeerAddress } from './types.ts';

export type RestRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Starts with `/`; parts are already encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** A JSON text, or a stream that is sent as it comes. */
  readonly body?: string | ((deadline: Deadline) => Readable);
  readonly contentType?: string;
  readonly contentLength?: number;
  /** Texts of this request that must not come back in an error. */
  readonly secrets?: readonly string[];
};

export type RestAnswer = { readonly status: number; readonly text: string };
export type RestStream = {
  readonly body: Readable;
  readonly headers: Readonly<Record<string, string>>;
  readonly deadline: Deadline;
};

export type PeerTransportOptions = {
  readonly address: PeerAddress;
  readonly agent: Agent;
  readonly apiKey: string | undefined;
  readonly grpc: GrpcPoints | undefined;
};

/** Sends one request to one peer, once, and turns whatever goes wrong into a QdrantError. */
export class PeerTransport {
  readonly name: string;
  readonly rest: string;
  readonly #grpc: GrpcPoints | undefined;
  readonly #agent: Agent;
  readonly #apiKey: string | undefined;
  readonly #origin: string;
  readonly #prefix: string;

  constructor({ address, agent, apiKey, grpc }: PeerTransportOptions) {
    const url = httpUrl(address.rest, address.name);
    this.name = address.name;
    this.#origin = url.origin;
    this.#prefix = url.pathname.replace(/\/+$/, '');
    this.rest = `${this.#origin}${this.#prefix}`;
    this.#grpc = grpc;
    this.#agent = agent;
    this.#apiKey = apiKey;
  }

  /** Bulk reads and writes by gRPC. */
  get points(): GrpcPoints {
    if (this.#grpc !== undefined) return this.#grpc;
    throw new QdrantError({
      code: 'BadRequest',
      operation: 'connect',
      peer: this.name,
      message: 'it has no address for gRPC',
    });
  }

  get hasGrpc(): boolean {
    return this.#grpc !== undefined;
  }

  async closeGrpc(): Promise<void> {
    await this.#grpc?.close();
  }

  /** Where an error of this attempt comes from. */
  origin(attempt: Attempt, secrets: readonly string[] = []): Origin {
    const { operation, mutating } = attempt;
    return { operation, mutating, peer: this.name, secrets: [...secrets, this.#apiKey ?? ''] };
  }

  /**
   * @param accept statuses besides 2xx that are answers, not errors
   * @throws QdrantError
   */
  async request(request: RestRequest, attempt: Attempt, accept: readonly number[] = []): Promise<RestAnswer> {
    const deadline = startDeadline(attempt.timeout, attempt.signal);
    try {
      const { status, headers, body } = await this.#send(request, attempt, deadline);
      const text = await body.text();
      if ((status >= 200 && status < 300) || accept.includes(status)) return { status, text };
      throw refused({ status, text, retryAfter: headers['retry-after'] }, this.origin(attempt, request.secrets));
    } catch (error) {
      throw this.#fault(error, attempt, deadline);
    } finally {
      deadline.clear();
    }
  }

  /** An answer as a stream. `attempt.timeout` bounds silence; the reader extends the deadline and clears it at the end. */
  async stream(request: RestRequest, attempt: Attempt): Promise<RestStream> {
    const deadline = startDeadline(attempt.timeout, attempt.signal);
    try {
      const { status, headers, body } = await this.#send(request, attempt, deadline);
      if (status === 200) return { body, headers, deadline };
      throw refused({ status, text: await body.text(), retryAfter: headers['retry-after'] }, this.origin(attempt));
    } catch (error) {
      deadline.clear();
      throw this.#fault(error, attempt, deadline);
    }
  }

  async #send(request: RestRequest, attempt: Attempt, deadline: Deadline) {
    const { method, path, query, body, contentType = 'application/json', contentLength } = request;
    const send = () =>
      this.#agent.request({
        origin: this.#origin,
        path: `${this.#prefix}${path}${queryText(query)}`,
        method,
        headers: {
          ...attempt.headers,
          'user-agent': 'qdrant-librarian',
          ...(this.#apiKey === undefined ? {} : { 'api-key': this.#apiKey }),
          ...(body === undefined ? {} : { 'content-type': contentType }),
          ...(contentLength === undefined ? {} : { 'content-length': String(contentLength) }),
        },
        body: typeof body === 'function' ? body(deadline) : (body ?? null),
        signal: deadline.signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    const answer = await send().catch((error: unknown) => {
      // Qdrant closes idle connections after 5 s; a kept one may close as we send. Nothing was read, so ask again at once.
      if (attempt.mutating || typeof body === 'function' || deadline.signal.aborted || !closedUnderReuse(error))
        throw error;
      return send();
    });
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(answer.headers)) {
      if (value !== undefined) headers[name] = String(value);
    }
    return { status: answer.statusCode, headers, body: answer.body };
  }

  #fault(error: unknown, attempt: Attempt, deadline: Deadline): QdrantError {
    if (error instanceof QdrantError) return error;
    const origin = this.origin(attempt);
    if (deadline.expired()) return timedOut(attempt.timeout, origin);
    if (attempt.signal?.aborted === true) return aborted(origin, true);
    return unanswered(error, origin);
  }
}

function queryText(query: RestRequest['query']): string {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}`;
}
