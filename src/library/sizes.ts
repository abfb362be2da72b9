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

  async #ask(client: ClusterClient, { peers }: Look, known: Known): Promise<void> {
    const [peer] = peers;
    if (peer === undefined) return;
    // What one question leaves open doesn't undo what an earlier one told.
    known.told = (await vectorBytes(client.peer(peer.name), peer)) ?? known.told;
  }
}
