import type { Capacity } from '../load.ts';
import type { PeerSample, Rates } from './rates.ts';
import { clusterRates, interval } from './rates.ts';
import type { PeerStorage, Stored } from './telemetry.ts';

/** What one peer answered. */
export type PeerLook = {
  readonly name: string;
  readonly version: string | undefined;
  /** Peers of its cluster, as it says. */
  readonly members: number;
  readonly sample: PeerSample;
  readonly storage: PeerStorage;
};

export type SilentPeer = { readonly name: string; readonly error: string };

/** All peers of a cluster, asked at one moment. */
export type ClusterLook = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly peers: readonly PeerLook[];
  readonly silent: readonly SilentPeer[];
};

/** What a look tells of a cluster. */
export type Observation = {
  readonly at: number;
  /** Why its load is not known: then nothing is said of it, never that it is zero. */
  readonly unknown: string | undefined;
  /** Of the time since the look before; undefined: there was none, or it says nothing. */
  readonly rates: { readonly total: Rates; readonly collections: ReadonlyMap<string, Rates> } | undefined;
  /** By physical collection, all replicas counted. */
  readonly stored: ReadonlyMap<string, Stored>;
  readonly residentBytes: number | undefined;
  /** What each peer says of its machine. */
  readonly machines: readonly (Capacity | undefined)[];
  /** The oldest that a peer runs. */
  readonly version: string | undefined;
};

/** Why a look does not tell the load of the cluster; undefined: it does. */
function blindness({ peers, silent }: ClusterLook): string | undefined {
  const [first] = silent;
  if (first !== undefined) {
    const others = silent.length > 1 ? `; ${silent.length - 1} more` : '';
    return `peer ${first.name} doesn't answer: ${first.error}${others}`;
  }
  if (peers.length === 0) return 'it has no peer';
  const members = Math.max(...peers.map((peer) => peer.members));
  // Behind one address stands whichever peer the balancer chose: its counters are a part of the load.
  return members > peers.length ? `${peers.length} of ${members} peers can be asked` : undefined;
}

/** @param before the look before this one, by which counters are turned into rates */
export function observation(look: ClusterLook, before: ClusterLook | undefined): Observation {
  const { at, peers } = look;
  const unknown = blindness(look);
  const intervals = peers.map(({ name, sample }) => {
    const earlier = before?.peers.find((peer) => peer.name === name)?.sample;
    return earlier === undefined ? undefined : interval(earlier, sample);
  });
  const known = intervals.filter((one) => one !== undefined);
  const resident = peers.map(({ storage }) => storage.residentBytes);
  return {
    at,
    unknown,
    rates: unknown === undefined && known.length === intervals.length ? clusterRates(known) : undefined,
    stored: stored(peers),
    residentBytes: resident.some((bytes) => bytes === undefined)
      ? undefined
      : resident.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0),
    machines: peers.map(({ storage }) => storage.capacity),
    version: oldest(peers.flatMap(({ version }) => (version === undefined ? [] : [version]))),
  };
}

function stored(peers: readonly PeerLook[]): Map<string, Stored> {
  const sum = new Map<string, Stored>();
  for (const { sample, storage } of peers) {
    for (const [name, { points, bytes, unsettled }] of storage.collections) {
      const before = sum.get(name);
      sum.set(name, {
        points: (before?.points ?? 0) + points,
        bytes: (before?.bytes ?? 0) + bytes,
        unsettled: before?.unsettled === true || unsettled || sample.unsettled.has(name),
      });
    }
  }
  return sum;
}

const numbers = (version: string): number[] => version.split('.').map((part) => Number.parseInt(part, 10) || 0);

function oldest(versions: readonly string[]): string | undefined {
  return versions.toSorted((a, b) => {
    const [left, right] = [numbers(a), numbers(b)];
    return (
      [0, 1, 2].map((part) => (left[part] ?? 0) - (right[part] ?? 0)).find((difference) => difference !== 0) ??
      a.localeCompare(b)
    );
  })[0];
}
