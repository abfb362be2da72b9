import type { KubeObject } from '../kube/index.ts';
import { digestOf } from './digest.ts';
import { annotations } from './names.ts';

/**
 * The part of `live` that `wanted` speaks of. Where the server filled in defaults or lists grew by its own doing, they
 * are left out; where somebody changed what we set, it shows.
 */
export function projection(live: unknown, wanted: unknown): unknown {
  if (Array.isArray(wanted)) {
    if (!Array.isArray(live) || live.length !== wanted.length) return live;
    return wanted.map((item, index) => projection(live[index], item));
  }
  if (typeof wanted !== 'object' || wanted === null) return live;
  if (typeof live !== 'object' || live === null) return live;
  return Object.fromEntries(
    Object.entries(wanted)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, projection((live as Record<string, unknown>)[key], value)]),
  );
}

/**
 * Knows whether an object must be applied. The digest on the live object tells what was wanted last; the projection
 * finds what others changed since. Servers write some values in another form (`1000m` as `1`): what the server made of
 * our last apply is remembered and counts as equal.
 */
export class Drift {
  readonly #accepted = new Map<string, string>();

  mustApply(wanted: KubeObject, live: KubeObject | undefined): boolean {
    if (live === undefined) return true;
    const digest = wanted.metadata.annotations?.[annotations.digest];
    if (digest === undefined || live.metadata.annotations?.[annotations.digest] !== digest) return true;
    const now = digestOf(projection(live, wanted));
    return now !== digestOf(wanted) && this.#accepted.get(keyFor(live)) !== `${digest} ${now}`;
  }

  /** Remembers what the server made of `wanted`. */
  applied(wanted: KubeObject, answer: KubeObject): void {
    const digest = wanted.metadata.annotations?.[annotations.digest];
    this.#accepted.set(keyFor(answer), `${digest} ${digestOf(projection(answer, wanted))}`);
  }
}

const keyFor = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.uid}`;
