import type { RebalancePolicyStatus } from '../../api/index.ts';
import type { Measured } from '../measure.ts';
import type { Prediction } from '../outlook.ts';
import type { World } from '../world.ts';
import { percentOf, significant } from './figures.ts';

type LoadStatus = NonNullable<RebalancePolicyStatus['load']>[number];
type PredictionStatus = NonNullable<RebalancePolicyStatus['forecast']>[number];

/** Figures are rounded: a status that changes with every request would be written with every look. */
const SIGNIFICANT = 2;
/** Of what is known of the window, in percent. */
const COARSENESS = 5;

/** Load by cluster. */
export function loadStatus({ clusters, libraries }: World, measured: Measured): LoadStatus[] {
  return clusters.slice(0, 256).map(({ name, unknown }): LoadStatus => {
    const load = measured.loads.get(name);
    const judged = measured.clusters.find((one) => one.name === name);
    const p95 = measured.p95Seconds.get(name);
    const known = measured.completeness.get(name);
    return {
      cluster: name,
      libraries: libraries.filter(({ object }) => object.status?.cluster === name).length,
      ...(load === undefined
        ? {}
        : {
            points: Math.round(load.points),
            requestsPerMinute: significant(load.requests * 60, SIGNIFICANT),
          }),
      ...(judged === undefined
        ? {}
        : {
            cpuPercent: percentOf(judged.utilisation.busy),
            memoryPercent: percentOf(judged.utilisation.memory),
            diskPercent: percentOf(judged.utilisation.disk),
            imbalancePercent: Math.max(-100, percentOf(judged.relative[judged.worst]) - 100),
          }),
      ...(p95 === undefined ? {} : { p95Milliseconds: significant(p95 * 1000, SIGNIFICANT) }),
      ...(known === undefined ? {} : { knownPercent: Math.floor((known * 100) / COARSENESS) * COARSENESS }),
      ...(unknown === undefined ? {} : { unknown: unknown.slice(0, 512) }),
    };
  });
}

const DIMENSION = { busy: 'Cpu', memory: 'Memory', disk: 'Disk' } as const;

/** What is expected, the first to cross its threshold first. */
export function forecastStatus(outlook: readonly Prediction[]): PredictionStatus[] {
  return outlook
    .toSorted((a, b) => (a.earliestAt ?? Number.POSITIVE_INFINITY) - (b.earliestAt ?? Number.POSITIVE_INFINITY))
    .flatMap((prediction): PredictionStatus[] => {
      const { cluster, dimension, method, mase, error, threshold, crossesAt, earliestAt } = prediction;
      if (dimension !== 'busy' && dimension !== 'memory' && dimension !== 'disk') return [];
      return [
        {
          cluster,
          dimension: DIMENSION[dimension],
          method,
          expectedPercent: percentOf(prediction.expected),
          lowerPercent: percentOf(prediction.lower),
          upperPercent: percentOf(prediction.upper),
          errorPercent: percentOf(error),
          relativeErrorPermille: Math.min(1_000_000, Math.round(mase * 1000)),
          thresholdPercent: percentOf(threshold),
          ...(crossesAt === undefined ? {} : { crossesAt: new Date(crossesAt).toISOString() }),
          ...(earliestAt === undefined ? {} : { earliestAt: new Date(earliestAt).toISOString() }),
        },
      ];
    })
    .slice(0, 256);
}
