import { DIMENSIONS, type Dimension, type Load } from '../load.ts';
import { quantile } from './histogram.ts';
import type { Observation } from './look.ts';
import type { Rates } from './rates.ts';
import { COARSE, decodeRing, type EncodedRing, emptyRing, encodeRing, FINE, push, type Ring } from './ring.ts';
import type { Stored } from './telemetry.ts';

/** What is kept of a cluster: each dimension, and the 95th percentile of searches in seconds. */
export const MEASURES = [...DIMENSIONS, 'p95'] as const;
export type Measure = (typeof MEASURES)[number];

export type Series = { readonly fine: Ring; readonly coarse: Ring };

/** What is kept of a library, and of what is none: what they ask of their cluster. Five minutes of a day. */
export type Demand = { readonly requests: Ring; readonly busy: Ring };

export type ClusterHistory = {
  readonly measures: Readonly<Record<Measure, Series>>;
  /** What is asked of collections that are no library. */
  readonly others: Demand;
};

/** Who is who on a cluster. */
export type Tenant = {
  /** Undefined: a library that the policy does not choose. */
  readonly library: string | undefined;
  /** Names by which applications ask for it. */
  readonly names: readonly string[];
  /** Physical names of its generations there. */
  readonly collections: readonly string[];
};

const DAY = { stepSeconds: 300, capacity: 288 } as const;

export const emptyDemand = (): Demand => ({ requests: emptyRing(DAY), busy: emptyRing(DAY) });

const emptySeries = (): Series => ({ fine: emptyRing(FINE), coarse: emptyRing(COARSE) });

export const emptyHistory = (): ClusterHistory => ({
  measures: {
    requests: emptySeries(),
    busy: emptySeries(),
    memory: emptySeries(),
    disk: emptySeries(),
    points: emptySeries(),
    p95: emptySeries(),
  },
  others: emptyDemand(),
});

const pushed = ({ fine, coarse }: Series, at: number, value: number | undefined): Series =>
  value === undefined ? { fine, coarse } : { fine: push(fine, at, value), coarse: push(coarse, at, value) };

const asked = (
  { requests, busy }: Demand,
  at: number,
  { requests: more, busy: longer }: Omit<Asked, 'writes'>,
): Demand => ({
  requests: push(requests, at, more),
  busy: push(busy, at, longer),
});

/** By the second; `requests` hold the writes. */
type Asked = { readonly requests: number; readonly busy: number; readonly writes: number };

const sum = (rates: readonly Rates[]): Asked => ({
  requests: rates.reduce((total, { reads, writes }) => total + reads + writes, 0),
  busy: rates.reduce((total, { busy }) => total + busy, 0),
  writes: rates.reduce((total, { writes }) => total + writes, 0),
});

/** What is stored, in all or of one library. */
export const storedLoad = (parts: readonly Stored[]): Pick<Load, 'memory' | 'disk' | 'points'> => {
  const bytes = parts.reduce((total, part) => total + part.bytes, 0);
  return { memory: bytes, disk: bytes, points: parts.reduce((total, part) => total + part.points, 0) };
};

/** What a cluster stores now. Qdrant tells the memory of its process, which holds more than vectors and payloads. */
export function storedOf({ stored, residentBytes }: Observation): Pick<Load, 'memory' | 'disk' | 'points'> {
  const load = storedLoad([...stored.values()]);
  return { ...load, memory: residentBytes ?? load.memory };
}

export type Demands = { readonly total: Asked; readonly others: Asked; readonly libraries: ReadonlyMap<string, Asked> };

/**
 * Who asked how much. Requests under the physical name of a generation are the operator's own copies and count for
 * nobody: applications ask by public names. Undefined where the look says nothing of it.
 */
export function demands({ rates }: Observation, tenants: readonly Tenant[]): Demands | undefined {
  if (rates === undefined) return undefined;
  const { collections } = rates;
  // Before Qdrant 1.17.1 requests are counted for all collections together.
  if (collections.size === 0) {
    const total = sum([rates.total]);
    return { total, others: total, libraries: new Map() };
  }
  const owners = new Map(tenants.flatMap(({ library, names }) => names.map((name) => [name, library] as const)));
  const copies = new Set(tenants.flatMap((tenant) => tenant.collections).filter((name) => !owners.has(name)));
  const counted = [...collections].filter(([name]) => !copies.has(name));
  const of = (library: string | undefined): Asked =>
    sum(counted.filter(([name]) => owners.get(name) === library).map(([, one]) => one));
  return {
    total: sum(counted.map(([, one]) => one)),
    others: of(undefined),
    libraries: new Map(tenants.flatMap(({ library }) => (library === undefined ? [] : [[library, of(library)]]))),
  };
}

/** The history of a cluster with one look more; what is not known is a gap. */
export function remembered(history: ClusterHistory, seen: Observation, asking: Demands | undefined): ClusterHistory {
  if (seen.unknown !== undefined) return history;
  const { at } = seen;
  const values: Readonly<Record<Dimension, number | undefined>> = {
    ...storedOf(seen),
    requests: asking?.total.requests,
    busy: asking?.total.busy,
  };
  const searches = seen.rates === undefined ? undefined : quantile(seen.rates.total.searches, 0.95);
  const { measures } = history;
  return {
    measures: {
      requests: pushed(measures.requests, at, values.requests),
      busy: pushed(measures.busy, at, values.busy),
      memory: pushed(measures.memory, at, values.memory),
      disk: pushed(measures.disk, at, values.disk),
      points: pushed(measures.points, at, values.points),
      p95: pushed(measures.p95, at, searches),
    },
    others: asking === undefined ? history.others : asked(history.others, at, asking.others),
  };
}

/** The demand of a library with one look more. */
export const demanded = (demand: Demand, at: number, more: Omit<Asked, 'writes'>): Demand => asked(demand, at, more);

/** What a ConfigMap keeps of one cluster, and of the libraries that live there. */
export type KeptHistory = { readonly history: ClusterHistory; readonly libraries: ReadonlyMap<string, Demand> };

type EncodedDemand = { readonly requests: EncodedRing; readonly busy: EncodedRing };
type Encoded = {
  readonly format: 1;
  readonly measures: Readonly<Record<Measure, { readonly fine: EncodedRing; readonly coarse: EncodedRing }>>;
  readonly others: EncodedDemand;
  readonly libraries: Readonly<Record<string, EncodedDemand>>;
};

/** A ConfigMap holds 1 MiB: a library takes 1.7 kB of it, and their cluster 62 kB. */
const MOST_LIBRARIES = 400;

const encodedDemand = ({ requests, busy }: Demand): EncodedDemand => ({
  requests: encodeRing(requests),
  busy: encodeRing(busy),
});
const decodedDemand = ({ requests, busy }: EncodedDemand): Demand => ({
  requests: decodeRing(requests),
  busy: decodeRing(busy),
});

export function encodeHistory({ history, libraries }: KeptHistory): string {
  const measures = Object.fromEntries(
    MEASURES.map((measure) => {
      const { fine, coarse } = history.measures[measure];
      return [measure, { fine: encodeRing(fine), coarse: encodeRing(coarse) }];
    }),
  );
  const largest = [...libraries]
    .toSorted(
      ([a, one], [b, other]) => (other.busy.values.at(-1) ?? 0) - (one.busy.values.at(-1) ?? 0) || (a < b ? -1 : 1),
    )
    .slice(0, MOST_LIBRARIES);
  return JSON.stringify({
    format: 1,
    measures,
    others: encodedDemand(history.others),
    libraries: Object.fromEntries(largest.map(([name, demand]) => [name, encodedDemand(demand)])),
  });
}

/** Undefined for a text that is none: then the history begins anew. */
export function decodeHistory(text: string): KeptHistory | undefined {
  try {
    const { format, measures, others, libraries } = JSON.parse(text) as Encoded;
    if (format !== 1) return undefined;
    const series = (measure: Measure): Series => ({
      fine: decodeRing(measures[measure].fine),
      coarse: decodeRing(measures[measure].coarse),
    });
    return {
      history: {
        measures: {
          requests: series('requests'),
          busy: series('busy'),
          memory: series('memory'),
          disk: series('disk'),
          points: series('points'),
          p95: series('p95'),
        },
        others: decodedDemand(others),
      },
      libraries: new Map(Object.entries(libraries).map(([name, demand]) => [name, decodedDemand(demand)])),
    };
  } catch {
    return undefined;
  }
}
