import type { Counters, PeerCounters } from './counters.ts';
import { addBuckets, type Buckets, subtractBuckets } from './histogram.ts';

/** What a peer counted, and when it was asked, in milliseconds since the epoch. */
export type PeerSample = PeerCounters & {
  readonly at: number;
  /** When its process began, as telemetry tells; undefined: it was not asked. */
  readonly startedAt?: string | undefined;
};

/** By the second. */
export type Rates = {
  readonly reads: number;
  readonly writes: number;
  readonly failures: number;
  readonly busy: number;
  /** Searches of the interval by latency. */
  readonly searches: Buckets;
};

export type Interval =
  | {
      readonly kind: 'rates';
      readonly seconds: number;
      readonly collections: ReadonlyMap<string, Rates>;
      readonly total: Rates;
    }
  /** The counters began anew, or no time has passed: nothing can be said of this interval. */
  | { readonly kind: 'dropped'; readonly reason: 'Restarted' | 'NoTime' };

const NOTHING: Counters = { reads: 0, writes: 0, failures: 0, busySeconds: 0, searches: new Map() };

const fellBelow = (after: Counters, before: Counters): boolean =>
  after.reads < before.reads || after.writes < before.writes || after.busySeconds < before.busySeconds;

/**
 * What happened between two looks at a peer. Its counters are lost with its process: an interval in which it restarted
 * is dropped, since what was counted before the restart is unknown.
 */
export function interval(before: PeerSample, after: PeerSample): Interval {
  const seconds = (after.at - before.at) / 1000;
  if (seconds <= 0) return { kind: 'dropped', reason: 'NoTime' };
  if (restarted(before, after)) return { kind: 'dropped', reason: 'Restarted' };
  const collections = new Map(
    [...(after.collections ?? [])].map(([name, counters]) => [
      name,
      rates(before.collections?.get(name) ?? NOTHING, counters, seconds),
    ]),
  );
  return { kind: 'rates', seconds, collections, total: difference(before, after, seconds) };
}

/** A collection that is gone was dropped, or nobody has asked for it since a restart: only the sum over the others tells. */
function restarted(before: PeerSample, after: PeerSample): boolean {
  if (before.startedAt !== undefined && after.startedAt !== undefined && before.startedAt !== after.startedAt)
    return true;
  if (before.collections === undefined || after.collections === undefined) return fellBelow(after.total, before.total);
  const kept = [...before.collections].filter(([name]) => after.collections?.has(name));
  if (kept.length === 0) return before.collections.size > 0;
  return kept.some(([name, counters]) => fellBelow(after.collections?.get(name) ?? NOTHING, counters));
}

function difference(before: PeerSample, after: PeerSample, seconds: number): Rates {
  if (before.collections === undefined || after.collections === undefined)
    return rates(before.total, after.total, seconds);
  const each = [...after.collections].map(([name, counters]) =>
    rates(before.collections?.get(name) ?? NOTHING, counters, seconds),
  );
  return addRates(each);
}

const rates = (before: Counters, after: Counters, seconds: number): Rates => ({
  reads: (after.reads - before.reads) / seconds,
  writes: (after.writes - before.writes) / seconds,
  failures: Math.max(0, after.failures - before.failures) / seconds,
  busy: (after.busySeconds - before.busySeconds) / seconds,
  searches: subtractBuckets(after.searches, before.searches),
});

export const addRates = (all: readonly Rates[]): Rates => ({
  reads: all.reduce((sum, { reads }) => sum + reads, 0),
  writes: all.reduce((sum, { writes }) => sum + writes, 0),
  failures: all.reduce((sum, { failures }) => sum + failures, 0),
  busy: all.reduce((sum, { busy }) => sum + busy, 0),
  searches: addBuckets(all.map(({ searches }) => searches)),
});

/**
 * The rates of a whole cluster; undefined where an interval of any peer was dropped: a sum without it would look like
 * a fall in load.
 */
export function clusterRates(
  intervals: readonly Interval[],
): { total: Rates; collections: Map<string, Rates> } | undefined {
  const known = intervals.filter((one) => one.kind === 'rates');
  if (known.length === 0 || known.length < intervals.length) return undefined;
  const names = new Set(known.flatMap(({ collections }) => [...collections.keys()]));
  return {
    total: addRates(known.map(({ total }) => total)),
    collections: new Map(
      [...names].map((name) => [name, addRates(known.flatMap(({ collections }) => collections.get(name) ?? []))]),
    ),
  };
}
