import type { ClusterImbalance } from './imbalance.ts';
import { DIMENSIONS, type Dimension } from './load.ts';

/** What calls for a plan, from the policy. Shares of capacity; seconds. */
export type Thresholds = {
  /** 1.10: ten percent above the mean. */
  readonly imbalance: number;
  readonly limits: Readonly<Partial<Record<Dimension, number>>>;
  readonly p95Seconds?: number | undefined;
};

/** An imbalance is over at half its threshold: between the two nobody gives and nobody takes. */
const CLOSE_SHARE = 0.5;
/** A limit or a latency counts as kept again this far below. */
const CLOSE_LIMIT = 0.95;
const IMBALANCE_SECONDS = 600;
const LIMIT_SECONDS = 120;
const LATENCY_SECONDS = 600;
const FORECAST_SECONDS = 600;

export type Observed = {
  readonly clusters: readonly ClusterImbalance[];
  /** 95th percentile of searches by cluster, in seconds, where there were any. */
  readonly p95Seconds: ReadonlyMap<string, number>;
  /** Thresholds that will be crossed within the horizon: cluster and dimension. */
  readonly crossings: readonly { readonly cluster: string; readonly dimension: Dimension }[];
};

/** Since when something lies above its threshold, and whether that has lasted long enough. A plain value: it is kept. */
export type Alarm = { readonly key: string; readonly since: number; readonly open: boolean };

export type Triggered = {
  readonly alarms: readonly Alarm[];
  /** Why a plan is called for, in figures; empty: it is not. */
  readonly reasons: readonly string[];
};

type Measure = {
  readonly key: string;
  readonly value: number;
  readonly opens: number;
  readonly closes: number;
  readonly seconds: number;
  readonly text: string;
};

export type TriggerOptions = {
  readonly thresholds: Thresholds;
  readonly now: number;
  /** No threshold has to be exceeded for longer: the time over which load is averaged. */
  readonly mostSeconds?: number;
};

/**
 * Whether a plan is called for. What lies above its threshold for long enough opens an alarm; it stays open until the
 * value is well below, so that load around a threshold does not call again and again.
 *
 * @param before the alarms of the last look
 * @param now milliseconds since the epoch
 */
export function trigger(
  before: readonly Alarm[],
  observed: Observed,
  { thresholds, now, mostSeconds = Number.POSITIVE_INFINITY }: TriggerOptions,
): Triggered {
  const known = new Map(before.map((alarm) => [alarm.key, alarm]));
  const next = measures(observed, thresholds).flatMap((measure) => {
    const alarm = known.get(measure.key);
    if (measure.value <= (alarm?.open === true ? measure.closes : measure.opens)) return [];
    const since = Math.min(alarm?.since ?? now, now);
    const open = alarm?.open === true || now - since >= Math.min(measure.seconds, mostSeconds) * 1000;
    return [{ alarm: { key: measure.key, since, open }, text: measure.text }];
  });
  return {
    alarms: next.map(({ alarm }) => alarm),
    reasons: next.filter(({ alarm }) => alarm.open).map(({ text }) => text),
  };
}

function measures({ clusters, p95Seconds, crossings }: Observed, thresholds: Thresholds): Measure[] {
  const busiest = clusters.toSorted((a, b) => b.relative.busy - a.relative.busy)[0]?.name;
  return clusters.flatMap((cluster) => [
    ...DIMENSIONS.map((dimension) => uneven(cluster, dimension, thresholds)),
    ...DIMENSIONS.flatMap((dimension) => full(cluster, dimension, thresholds)),
    ...(cluster.name === busiest ? slow(cluster.name, p95Seconds.get(cluster.name), thresholds) : []),
    ...crossings
      .filter((crossing) => crossing.cluster === cluster.name)
      .map(({ dimension }) => ({
        key: `forecast/${cluster.name}/${dimension}`,
        value: 1,
        opens: 0,
        closes: 0,
        seconds: FORECAST_SECONDS,
        text: `${dimension} of ${cluster.name} will cross its threshold`,
      })),
  ]);
}

const uneven = ({ name, relative }: ClusterImbalance, dimension: Dimension, { imbalance }: Thresholds): Measure => ({
  key: `imbalance/${name}/${dimension}`,
  value: relative[dimension],
  opens: imbalance,
  closes: closesAt(imbalance),
  seconds: IMBALANCE_SECONDS,
  text: `${dimension} of ${name} is ${relative[dimension].toFixed(2)} times the mean`,
});

/** 1.05 for 1.10. */
export const closesAt = (imbalance: number): number => 1 + (imbalance - 1) * CLOSE_SHARE;

function full({ name, utilisation }: ClusterImbalance, dimension: Dimension, { limits }: Thresholds): Measure[] {
  const limit = limits[dimension];
  if (limit === undefined) return [];
  const text = `${dimension} of ${name} is at ${Math.round(utilisation[dimension] * 100)} % of ${Math.round(limit * 100)} %`;
  return [
    {
      key: `limit/${name}/${dimension}`,
      value: utilisation[dimension],
      opens: limit,
      closes: limit * CLOSE_LIMIT,
      seconds: LIMIT_SECONDS,
      text,
    },
  ];
}

/** Latency does not add up and can't be moved: it counts only where the cluster is the busiest, too. */
function slow(name: string, value: number | undefined, { p95Seconds }: Thresholds): Measure[] {
  if (p95Seconds === undefined || value === undefined) return [];
  const text = `searches on ${name}, the busiest, take ${Math.round(value * 1000)} ms at the 95th percentile`;
  const closes = p95Seconds * CLOSE_LIMIT;
  return [{ key: `p95/${name}`, value, opens: p95Seconds, closes, seconds: LATENCY_SECONDS, text }];
}
