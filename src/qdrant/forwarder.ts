import type { Readable } from 'node:stream';
import { Agent } from 'undici';
import { httpUrl } from './address.ts';
import type { QdrantError } from './errors.ts';
import { aborted, closedUnderReuse, timedOut, unanswered } from './faults.ts';
import { CONNECTION_LIFE, KEEP_ALIVE } from './keep-alive.ts';

export type ForwardMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request that is passed on as it came. */
export type ForwardRequest = {
  readonly method: ForwardMethod;
  /** Path and query, encoded, as sent. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | Readable | null;
  readonly apiKey: string | undefined;
  /** Label of errors. */
  readonly operation: string;
  readonly mutating: boolean;
  /** Until the answer begins, and of silence within it. */
  readonly milliseconds: number;
  readonly signal: AbortSignal;
};

export type ForwardAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable & { text(): Promise<string>; arrayBuffer(): Promise<ArrayBuffer> };
};

export type ForwarderOptions = {
  /** PEM of a private CA; replaces the system's list. */
  readonly ca?: string;
  /** Connections to each address at most. */
  readonly connections?: number;
  readonly connectMilliseconds?: number;
};

/** Passes requests on to any Qdrant, once each, bodies as streams; no repeats, no parsing. */
export class Forwarder {
  readonly #agent: Agent;

  constructor({ ca, connections = 64, connectMilliseconds = 2000 }: ForwarderOptions = {}) {
    this.#agent = new Agent({
      connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE,
      keepAliveMaxTimeout: KEEP_ALIVE,
      clientTtl: CONNECTION_LIFE,
      connect: { timeout: connectMilliseconds, ...(ca === undefined ? {} : { ca }) },
    });
  }

  /**
   * @param base where the Qdrant is: `http(s)://host:port`, with an optional path prefix
   * @throws QdrantError when there was no answer; any status is an answer
   */
  async send(base: string, request: ForwardRequest): Promise<ForwardAnswer> {
    const { method, path, body, headers, apiKey, milliseconds, signal } = request;
    const url = httpUrl(base, request.operation);
    const prefix = url.pathname.replace(/\/+$/, '');
    const send = () =>
      this.#agent.request({
        origin: url.origin,
        path: `${prefix}${path}`,
        method,
        headers: { ...headers, ...(apiKey === undefined ? {} : { 'api-key': apiKey }) },
        body,
        signal,
        headersTimeout: milliseconds,
        bodyTimeout: milliseconds,
      });
    try {
      const {
        statusCode,
        headers: answered,
        body: stream,
      } = await send().catch((error: unknown) => {
        const replayable = body === null || Buffer.isBuffer(body);
        if (request.mutating || !replayable || signal.aborted || !closedUnderReuse(error)) throw error;
        return send();
      });
      return { status: statusCode, headers: answered, body: stream };
    } catch (error) {
      throw fault(error, request, url.host);
    }
  }

  /** Waits for what runs. */
  close(): Promise<void> {
    return this.#agent.close();
  }

  /** Breaks off what runs. */
  destroy(): Promise<void> {
    return this.#agent.destroy();
  }
}

function fault(error: unknown, request: ForwardRequest, peer: string): QdrantError {
  const { operation, mutating, apiKey = '', milliseconds, signal } = request;
  const origin = { operation, mutating, peer, secrets: [apiKey] };
  if (signal.aborted) return aborted(origin, true);
  if ((error as { code?: unknown }).code === 'UND_ERR_HEADERS_TIMEOUT') return timedOut(milliseconds, origin);
  return unanswered(error, origin);
}
