/** Answers older than this are asked for again; an application's own health checks are no faster. */
const MAX_AGE_MILLISECONDS = 1000;

type Entry<Answers> = {
  /** When it was asked for, milliseconds since the epoch. */
  readonly at: number;
  readonly signal: AbortSignal;
  readonly answers: Promise<Answers>;
};

export type SharedRequest<Peer, Answers> = {
  /** Which cluster the peer is of. */
  readonly cluster: string;
  readonly peer: Peer;
  readonly ask: () => Promise<Answers>;
  readonly signal: AbortSignal;
  /** Takes no answer that was asked for before. */
  readonly fresh: boolean;
};

/**
 * What all libraries of a cluster ask of a peer alike, asked once for all that look within a second. For libraries at
 * rest only: whoever is about to change something looks afresh, and whoever has changed something lets the rest forget.
 */
export class SharedLooks<Peer extends object, Answers> {
  readonly #now: () => number;
  readonly #clusters = new Map<string, Map<Peer, Entry<Answers>>>();

  constructor(options: { readonly now: () => number }) {
    this.#now = options.now;
  }

  async of({ cluster, peer, ask, signal, fresh }: SharedRequest<Peer, Answers>): Promise<Answers> {
    const known = fresh ? undefined : this.#recent(cluster).get(peer);
    if (known !== undefined) {
      try {
        return await known.answers;
      } catch (error) {
        // What ended with another's pass says nothing of the peer.
        if (!known.signal.aborted) throw error;
      }
    }
    const entry = { at: this.#now(), signal, answers: ask() };
    this.#recent(cluster).set(peer, entry);
    return entry.answers;
  }

  /** Something was changed there: what was seen or asked for before counts no more. */
  forget(cluster: string): void {
    this.#clusters.delete(cluster);
  }

  #recent(cluster: string): Map<Peer, Entry<Answers>> {
    const entries = this.#clusters.get(cluster) ?? new Map<Peer, Entry<Answers>>();
    this.#clusters.set(cluster, entries);
    for (const [peer, { at }] of entries) {
      const age = this.#now() - at;
      if (age < 0 || age > MAX_AGE_MILLISECONDS) entries.delete(peer);
    }
    return entries;
  }
}
