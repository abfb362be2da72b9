import type { ClusterImbalance } from './imbalance.ts';
import { imbalance } from './imbalance.ts';
import { DIMENSIONS, type Load, mapLoad } from './load.ts';
import type { Measure } from './observe/history.ts';
import { completeness, FINE, type Ring } from './observe/ring.ts';
import { isAhead } from './outlook.ts';
import { participants } from './question.ts';
import { callingLoad, thresholdsOf, windowSeconds } from './settings.ts';
import { type Alarm, trigger } from './trigger.ts';
import type { ClusterFacts, World } from './world.ts';

export type Measured = {
  /** Of clusters whose load and size are known. */
  readonly clusters: readonly ClusterImbalance[];
  /** Load of the window, by cluster. */
  readonly loads: ReadonlyMap<string, Load>;
  readonly p95Seconds: ReadonlyMap<string, number>;
  /** How much of the window is known, 0 to 1. */
  readonly completeness: ReadonlyMap<string, number>;
  readonly alarms: readonly Alarm[];
  /** Why a plan is called for, in figures. */
  readonly reasons: readonly string[];
  /** A limit is exceeded: however little helps. */
  readonly urgent: boolean;
};

/** The ring that reaches back as far as the window. */
function windowRing({ history }: ClusterFacts, measure: Measure, seconds: number): Ring {
  const { fine, coarse } = history.measures[measure];
  return seconds <= FINE.stepSeconds * FINE.capacity ? fine : coarse;
}

/** What the load of the window says of the clusters, and whether it calls for a plan. */
export function measure({ policy: { spec }, clusters, kept, outlook = [], now }: World): Measured {
  const seconds = windowSeconds(spec);
  const known = participants(clusters);
  const of = (cluster: ClusterFacts, measure: Measure): number | undefined =>
    callingLoad(windowRing(cluster, measure, seconds), spec, now);
  const loads = new Map(
    known
      .filter((cluster) => DIMENSIONS.every((dimension) => of(cluster, dimension) !== undefined))
      .map((cluster) => [cluster.name, mapLoad((dimension) => of(cluster, dimension) ?? 0)]),
  );
  const imbalances = imbalance(
    known.flatMap(({ name, capacity }) => {
      const load = loads.get(name);
      return load === undefined ? [] : [{ name, capacity, load }];
    }),
  );
  const p95Seconds = new Map(
    clusters.flatMap((cluster) => {
      const value = of(cluster, 'p95');
      return value === undefined ? [] : [[cluster.name, value] as const];
    }),
  );
  const crossings = outlook.filter((prediction) => isAhead(prediction, now));
  const { alarms, reasons } = trigger(
    kept.alarms,
    { clusters: imbalances, p95Seconds, crossings },
    { thresholds: thresholdsOf(spec), now, mostSeconds: seconds },
  );
  return {
    clusters: imbalances,
    loads,
    p95Seconds,
    completeness: new Map(
      known.map((cluster) => [cluster.name, completeness(windowRing(cluster, 'busy', seconds), now, seconds)]),
    ),
    alarms,
    reasons,
    urgent: alarms.some(({ key, open }) => open && key.startsWith('limit/')),
  };
}
