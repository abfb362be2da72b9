import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { faultCode, parseRetryAfter, type RetryOptions, waitBefore } from '../../../http/index.ts';

export const AGENT = 'qdrant-librarian';

export type Fetched = {
  readonly status: number;
  /** After redirects. */
  readonly url: URL;
  readonly mediaType: string | undefined;
  /** A strong ETag. */
  readonly etag: string | undefined;
  /** Undefined when it is larger than allowed. */
  readonly body: Uint8Array | undefined;
};

export type Fetching = {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  readonly etag?: string | undefined;
};

export type FetcherOptions = {
  /** Value of the Authorization header; sent to `origins` only. */
  readonly authorization?: string | undefined;
  readonly origins: ReadonlySet<string>;
  readonly retry?: Partial<RetryOptions>;
};

/** No answer, or one that says "later", however often it was asked. */
export class FetchError extends Error {
  override readonly name = 'FetchError';
}

const MOST_REDIRECTS = 5;
const SILENCE = 30_000;
const RETRY: RetryOptions = { attempts: 4, baseMilliseconds: 500, capMilliseconds: 10_000, maxRetryAfterSeconds: 60 };
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** GET requests that are polite: repeated after `Retry-After`, bounded in size and time. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #agent = new Agent({ headersTimeout: SILENCE, bodyTimeout: SILENCE, connect: { timeout: 10_000 } });

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** @throws FetchError */
  async get(url: URL, fetching: Fetching): Promise<Fetched> {
    const retry = { ...RETRY, ...this.#options.retry };
    for (let round = 0; ; round += 1) {
      fetching.signal.throwIfAborted();
      const answer = await this.#follow(url, fetching);
      if (!('again' in answer)) return answer;
      const { again, retryAfterSeconds } = answer;
      const failure = new FetchError(`${url.host}${url.pathname}: ${again}`);
      if (round + 1 >= retry.attempts) throw failure;
      const wait = waitBefore(round, { retryAfterSeconds }, { ...retry, random: Math.random });
      if (wait === 'giveUp') throw failure;
      await sleep(wait.milliseconds, undefined, { signal: fetching.signal });
    }
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  async #follow(from: URL, fetching: Fetching): Promise<Fetched | Again> {
    let url = from;
    for (let hop = 0; hop <= MOST_REDIRECTS; hop += 1) {
      const answer = await this.#once(url, fetching);
      if (!(answer instanceof URL)) return answer;
      // Whoever asked for the one place did not ask for another one.
      if (answer.origin !== from.origin) return { ...NOTHING, status: 404, url: answer };
      url = answer;
    }
    return { ...NOTHING, status: 404, url };
  }

  async #once(url: URL, { maxBytes, signal, etag }: Fetching): Promise<Fetched | Again | URL> {
    const { authorization, origins } = this.#options;
    const headers: Record<string, string> = {
      'user-agent': AGENT,
      accept: 'text/html, text/markdown, text/*;q=0.9, application/json;q=0.8, */*;q=0.1',
      ...(authorization !== undefined && origins.has(url.origin) && { authorization }),
      ...(etag !== undefined && { 'if-none-match': etag }),
    };
    try {
      const answer = await request(url, { dispatcher: this.#agent, headers, signal });
      const { statusCode: status, headers: told, body } = answer;
      const location = REDIRECTS.has(status) ? textOf(told['location']) : undefined;
      if (location !== undefined && URL.canParse(location, url.href)) {
        await body.dump();
        return new URL(location, url);
      }
      if (status === 429 || status >= 500) {
        await body.dump();
        const after = parseRetryAfter(textOf(told['retry-after']), Date.now());
        return { again: `status ${status}`, retryAfterSeconds: after };
      }
      return {
        status,
        url,
        mediaType: textOf(told['content-type']),
        etag: strong(textOf(told['etag'])),
        body: await bounded(body, maxBytes),
      };
    } catch (error) {
      signal.throwIfAborted();
      return { again: faultCode(error) || 'no answer', retryAfterSeconds: undefined };
    }
  }
}

type Again = { readonly again: string; readonly retryAfterSeconds: number | undefined };
const NOTHING = { mediaType: undefined, etag: undefined, body: undefined };

const textOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

/** A weak one stands for several contents. */
const strong = (etag: string | undefined): string | undefined =>
  etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : undefined;

async function bounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    // Leaving the loop ends the connection.
    if (length > maxBytes) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}
