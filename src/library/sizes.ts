import { type ClusterClient, type VectorBytes, vectorBytes } from '../qdrant/index.ts';
import type { CollectionLook, Look } from './look.ts';

/** Not more often, while points come and go. */
const LEAST_MILLISECONDS = 5000;
/** Vectors can grow without a point more: at least so often. */
const MOST_MILLISECONDS = 300_000;

type Known = {
  /** When it was asked for last, in milliseconds since the epoch. */
  at: number;
  /** Points of the collections, as they were seen last. */
  readonly points: Map<string, number>;
  /** Whether any of them changed since it was asked. */
  changed: boolean;
  /** Questions without an answer yet. */
  asking: number;
  told: VectorBytes | undefined;
};

/**
 * How large the vectors of collections are. One question is answered for all collections of a cluster, so it is asked
 * once for all libraries, beside their passes: a peer that hangs must not hold up one that has writes held back.
 */
export class VectorSizes {
  readonly #known = new WeakMap<ClusterClient, Known>();

  /** What was told last; undefined while nothing was. */
  of(client: ClusterClient, look: Look, { name, points }: CollectionLook, now: number): number | undefined {
    const known = this.#known.get(client) ?? {
      at: Number.NEGATIVE_INFINITY,
      points: new Map(),
      changed: false,
      asking: 0,
      told: undefined,
    };
    this.#known.set(client, known);
    known.changed ||= known.points.get(name) !== points;
    known.points.set(name, points);
    if (now - known.at >= (known.changed ? LEAST_MILLISECONDS : MOST_MILLISECONDS)) {
      known.at = now;
      known.changed = false;
      void this.#ask(client, look, known);
    }
    return known.told?.get(name);
  }

  /** Whether a size that nobody has told yet is on its way: a look in a moment finds it. */
  awaits(client: ClusterClient, { name }: CollectionLook): boolean {
    const known = this.#known.get(client);
    if (known === undefined || known.told?.has(name) === true) return false;
    // Where none was ever told, only an answer that is under way can bring one.
    return known.asking > 0 || (known.told !== undefined && known.changed);
  }

  async #ask(client: ClusterClient, { peers }: Look, known: Known): Promise<void> {
    const [peer] = peers;
    if (peer === undefined) return;
    known.asking += 1;
    // What one question leaves open doesn't undo what an earlier one told.
    known.told = (await vectorBytes(client.peer(peer.name), peer)) ?? known.told;
    known.asking -= 1;
  }
}
