import { context, propagation } from '@opentelemetry/api';
import { Agent } from 'undici';
import { startDeadline } from '../../http/index.ts';
import type { Clock } from './clock.ts';
import { EmbedError } from './errors.ts';
import { refused, unanswered } from './faults.ts';
import type { Header, Heard, WireRequest } from './protocols/dialect.ts';

/** undici's timers may be a second late, and many servers close an idle connection after 5 s. */
const KEEP_ALIVE = 3000;
const CONNECT_TIMEOUT = 5000;
const MEGABYTE = 1024 * 1024;

export type TransportOptions = {
  readonly url: string;
  readonly auth: Header | undefined;
  /** PEM; replaces the system's list. */
  readonly ca?: string;
  readonly connections: number;
  /** Milliseconds for one attempt, its whole answer included. */
  readonly timeout: number;
  readonly clock: Clock;
};

/** Sends one request, once, and turns whatever goes wrong into an EmbedError. */
export class Transport {
  /** Host and port: stands in errors and traces. */
  readonly endpoint: string;
  readonly #agent: Agent;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #auth: Header | undefined;
  readonly #timeout: number;
  readonly #clock: Clock;

  constructor({ url, auth, ca, connections, timeout, clock }: TransportOptions) {
    const base = httpUrl(url);
    this.endpoint = base.host;
    this.#origin = base.origin;
    this.#prefix = base.pathname.replace(/\/+$/, '');
    this.#auth = auth;
    this.#timeout = timeout;
    this.#clock = clock;
    this.#agent = new Agent({
      connections,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE,
      keepAliveMaxTimeout: KEEP_ALIVE,
      connect: { timeout: Math.min(CONNECT_TIMEOUT, timeout), ...(ca === undefined ? {} : { ca }) },
    });
  }

  /**
   * @param maxBytes of the answer
   * @throws EmbedError
   */
  async send(request: WireRequest, maxBytes: number, signal?: AbortSignal): Promise<Heard> {
    const { endpoint } = this;
    const limit = startDeadline(this.#timeout, signal);
    try {
      const headers: Record<string, string> = { 'user-agent': 'qdrant-librarian', accept: 'application/json' };
      propagation.inject(context.active(), headers);
      if (request.body !== undefined) headers['content-type'] = 'application/json';
      if (this.#auth !== undefined) headers[this.#auth[0]] = this.#auth[1];
      const answer = await this.#agent.request({
        origin: this.#origin,
        path: joined(this.#prefix, request.path),
        method: request.method,
        headers,
        body: request.body ?? null,
        signal: limit.signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      const status = answer.statusCode;
      const received = flat(answer.headers);
      const text = await bounded(answer.body, status === 200 ? maxBytes : MEGABYTE);
      if (text === undefined) {
        throw new EmbedError({
          code: 'Unexpected',
          endpoint,
          status,
          message: 'its answer is larger than any can be',
          ambiguous: status === 200,
        });
      }
      if (status !== 200) {
        throw refused({ status, text, retryAfter: received['retry-after'] }, endpoint, this.#clock.date());
      }
      return { json: parsed(text, endpoint), headers: received };
    } catch (error) {
      if (error instanceof EmbedError) throw error;
      if (limit.expired()) {
        throw new EmbedError({
          code: 'Timeout',
          endpoint,
          message: `no answer within ${this.#timeout} ms`,
          ambiguous: true,
        });
      }
      if (signal?.aborted === true)
        throw new EmbedError({ code: 'Aborted', endpoint, message: 'aborted by the caller', ambiguous: true });
      throw unanswered(error, endpoint);
    } finally {
      limit.clear();
    }
  }

  /** Waits for what runs. */
  close(): Promise<void> {
    return this.#agent.close();
  }
}

function httpUrl(text: string): URL {
  const fail = (message: string): never => {
    throw new EmbedError({ code: 'BadRequest', endpoint: 'embedder', message });
  };
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return fail('its URL is no http(s) URL');
  if (url.username !== '' || url.password !== '') return fail('its URL holds a user or password');
  if (url.search !== '' || url.hash !== '') return fail('its URL holds a query or a fragment');
  return url;
}

/** `/v1` and `/v1beta` may stand at the end of the base URL, as other clients want it. */
function joined(prefix: string, path: string): string {
  const version = /^\/v1(?:beta)?(?=\/)/.exec(path)?.[0];
  return version !== undefined && prefix.endsWith(version) ? prefix + path.slice(version.length) : prefix + path;
}

function parsed(text: string, endpoint: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Python's json writes NaN and Infinity as they are.
    if (/[[,]\s*-?(?:NaN|Infinity)\b/.test(text)) {
      throw new EmbedError({
        code: 'NotFinite',
        endpoint,
        status: 200,
        message: 'it answered with a number that is not finite',
      });
    }
    const message = text.trim() === '' ? 'it answered with an empty body' : 'it answered with what is not whole JSON';
    throw new EmbedError({ code: 'Unexpected', endpoint, status: 200, message, ambiguous: true });
  }
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return Object.fromEntries(pairs) as Record<string, string>;
}

type Body = AsyncIterable<Buffer> & { destroy(): unknown };

/** Undefined when it is longer. */
async function bounded(body: Body, maxBytes: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    // Leaving the loop closes the connection.
    if (bytes > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts, bytes).toString('utf8');
}
