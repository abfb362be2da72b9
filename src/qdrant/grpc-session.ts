import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import type { TlsOptions } from './types.ts';

export type SessionOptions = {
  readonly url: string;
  readonly tls: TlsOptions | undefined;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds of rest after which a connection is asked for a sign of life before it is used. */
  readonly trustedIdle?: number;
};

/** The default window of 64 KB would make a page of points wait for dozens of round trips. */
const WINDOW_BYTES = 16 * 1024 * 1024;
const TRUSTED_IDLE = 30_000;

/**
 * One HTTP/2 connection to one peer, opened when needed and again when lost. Instead of connect-node's own manager,
 * which has no listener for errors between connecting and the first request: garbage on the port ends the process.
 */
export class GrpcSession {
  readonly authority: string;
  readonly #options: SessionOptions;
  #opening: Promise<ClientHttp2Session> | undefined;
  #open: ClientHttp2Session | undefined;
  /** All that are not closed yet, also those that take no new requests: a request of theirs may never be answered. */
  readonly #alive = new Set<ClientHttp2Session>();
  #streams = 0;
  #usedAt = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.authority = new URL(options.url).origin;
  }

  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: object,
  ): Promise<ClientHttp2Stream> {
    const session = await this.#ready();
    this.#usedAt = performance.now();
    const stream = session.request({ ...headers, ':method': method, ':path': path }, options);
    if (this.#streams === 0) session.ref();
    this.#streams += 1;
    stream.once('close', () => {
      this.#streams -= 1;
      if (this.#streams === 0) session.unref();
    });
    return stream;
  }

  notifyResponseByteRead(): void {
    this.#usedAt = performance.now();
  }

  /** The next request opens a new connection; those that run keep theirs. */
  renew(): void {
    const session = this.#open;
    this.#open = undefined;
    session?.close();
  }

  close(): void {
    this.#open = undefined;
    for (const session of this.#alive) session.destroy();
  }

  async #ready(): Promise<ClientHttp2Session> {
    const session = this.#open;
    if (session !== undefined && !session.closed && !session.destroyed) {
      if (await this.#answers(session)) return session;
      this.renew();
    }
    this.#opening ??= this.#connect().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #answers(session: ClientHttp2Session): Promise<boolean> {
    const { connectTimeout, trustedIdle = TRUSTED_IDLE } = this.#options;
    return performance.now() - this.#usedAt < trustedIdle || answersPing(session, connectTimeout);
  }

  #connect(): Promise<ClientHttp2Session> {
    const { url, tls, connectTimeout } = this.#options;
    return new Promise((resolve, reject) => {
      const session = connect(url, {
        settings: { initialWindowSize: WINDOW_BYTES },
        ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
        ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
        ...(tls?.key === undefined ? {} : { key: tls.key }),
        ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
      });
      this.#alive.add(session);
      const timer = setTimeout(
        () => session.destroy(Object.assign(new Error('connect timed out'), { code: 'UND_ERR_CONNECT_TIMEOUT' })),
        connectTimeout,
      );
      const forget = (): void => {
        clearTimeout(timer);
        if (this.#open === session) this.#open = undefined;
      };
      // For as long as the session lives: without a listener its errors end the process.
      session.on('error', (error) => {
        forget();
        reject(error);
      });
      session.on('goaway', forget);
      session.on('close', () => {
        forget();
        this.#alive.delete(session);
        reject(Object.assign(new Error('the connection closed'), { code: 'ECONNRESET' }));
      });
      session.on('connect', () => {
        clearTimeout(timer);
        // Said of a session, too, that was destroyed while it connected; `close` tells of it.
        if (session.destroyed) return;
        session.setLocalWindowSize(WINDOW_BYTES);
        session.unref();
        this.#open = session;
        this.#usedAt = performance.now();
        resolve(session);
      });
    });
  }
}

const answersPing = (session: ClientHttp2Session, timeout: number): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeout);
    session.ping((error) => {
      clearTimeout(timer);
      resolve(error === null);
    });
  });
