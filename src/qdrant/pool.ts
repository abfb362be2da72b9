import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { ClusterClient } from './client.ts';
import type { ClientOptions, Connection } from './types.ts';

type Entry = { readonly fingerprint: string; readonly client: ClusterClient; usedAt: number };

export type ClientPoolOptions = ClientOptions & {
  /** Milliseconds after which a client nobody asked for is closed. */
  readonly idle?: number;
  readonly now?: () => number;
};

const TEN_MINUTES = 600_000;

/** Clients by key: the same one as long as addresses and credentials are equal, a new one when they change. */
export class ClientPool {
  readonly #options: ClientPoolOptions;
  readonly #idle: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: ClientPoolOptions = {}) {
    this.#options = options;
    this.#idle = options.idle ?? TEN_MINUTES;
    this.#now = options.now ?? Date.now;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @throws QdrantError `BadRequest` for an address or key that can't be used */
  get(key: string, connection: Connection): ClusterClient {
    const usedAt = this.#now();
    const fingerprint = fingerprintOf(connection);
    const known = this.#entries.get(key);
    this.#closeIdle(usedAt, key);
    if (known?.fingerprint === fingerprint) {
      known.usedAt = usedAt;
      return known.client;
    }
    const client = new ClusterClient(connection, this.#options);
    this.evict(key);
    this.#entries.set(key, { fingerprint, client, usedAt });
    return client;
  }

  /** Forgets a client; what runs on it ends first. */
  evict(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const closing = entry.client.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async close(): Promise<void> {
    for (const key of [...this.#entries.keys()]) this.evict(key);
    await Promise.all(this.#closing);
  }

  [inspect.custom](): string {
    return `ClientPool(${this.#entries.size})`;
  }

  #closeIdle(now: number, except: string): void {
    for (const [key, { usedAt }] of [...this.#entries]) {
      if (key !== except && now - usedAt > this.#idle) this.evict(key);
    }
  }
}

/** Equal for equal connections; tells nothing of the key. */
export const fingerprintOf = (connection: Connection): string =>
  createHash('sha256')
    .update(JSON.stringify([connection.peers, connection.apiKey, connection.tls]))
    .digest('hex');
