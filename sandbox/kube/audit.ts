/** One answered request. */
export type AuditEntry = {
  /** Milliseconds since the epoch at which it came. */
  readonly at: number;
  readonly user: string;
  readonly verb: string;
  /** `group/plural` or `group/plural/subresource`; '' for a path that is no resource. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path: string;
  /** HTTP status; 0 when the connection was cut before an answer. */
  readonly code: number;
  /** Whether the store changed: an apply that changes nothing is a request, but no write. */
  readonly wrote: boolean;
  readonly userAgent: string;
};

export type AuditFilter = {
  readonly user?: string;
  readonly verb?: string;
  readonly resource?: string;
  readonly code?: number;
  readonly wrote?: boolean;
};

type Listener = (entry: AuditEntry) => void;
type Count = { readonly sample: AuditEntry; count: number };

const fits = (entry: AuditEntry, filter: AuditFilter): boolean =>
  (filter.user === undefined || entry.user === filter.user) &&
  (filter.verb === undefined || entry.verb === filter.verb) &&
  (filter.resource === undefined || entry.resource === filter.resource) &&
  (filter.code === undefined || entry.code === filter.code) &&
  (filter.wrote === undefined || entry.wrote === filter.wrote);

/** Counts requests by user, verb, resource and answer, and tells listeners of each. Holds no list of requests. */
export class Audit {
  readonly #listeners = new Set<Listener>();
  readonly #counts = new Map<string, Count>();

  record(entry: AuditEntry): void {
    const key = [entry.user, entry.verb, entry.resource, entry.code, entry.wrote].join(' ');
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { sample: entry, count: 1 });
    else known.count += 1;
    for (const listener of this.#listeners) listener(entry);
  }

  /** Calls `listener` at each answered request; the returned function ends it. */
  onRequest(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** How many requests fit the filter since the start or the last reset. */
  count(filter: AuditFilter = {}): number {
    let sum = 0;
    for (const { sample, count } of this.#counts.values()) if (fits(sample, filter)) sum += count;
    return sum;
  }

  /** The counts one by one, largest first. */
  summary(): (Pick<AuditEntry, 'user' | 'verb' | 'resource' | 'code' | 'wrote'> & { count: number })[] {
    return [...this.#counts.values()]
      .map(({ sample: { user, verb, resource, code, wrote }, count }) => ({ user, verb, resource, code, wrote, count }))
      .toSorted((a, b) => b.count - a.count);
  }

  reset(): void {
    this.#counts.clear();
  }
}
