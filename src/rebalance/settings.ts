import type { RebalancePolicySpec } from '../api/index.ts';
import { percentile, type Ring } from './observe/ring.ts';
import type { Problem } from './plan/problem.ts';
import { closesAt, type Thresholds } from './trigger.ts';

const DEFAULTS = { imbalance: 10, cpu: 70, memory: 80, disk: 80, windowMinutes: 60, horizonHours: 24, maxMoves: 5 };
const DAY_SECONDS = 24 * 3600;
/** A plan is called for by what most of the window was above, and sized by nearly the worst of a day. */
const CALLED_BY = 0.75;
const SIZED_BY = 0.95;

/** What calls for a plan; the API server fills in defaults, an object that never passed it has none. */
export function thresholdsOf({ thresholds = {} }: RebalancePolicySpec): Thresholds {
  const { imbalancePercent, cpuPercent, memoryPercent, diskPercent, p95Milliseconds } = thresholds;
  return {
    imbalance: 1 + (imbalancePercent ?? DEFAULTS.imbalance) / 100,
    limits: {
      busy: (cpuPercent ?? DEFAULTS.cpu) / 100,
      memory: (memoryPercent ?? DEFAULTS.memory) / 100,
      disk: (diskPercent ?? DEFAULTS.disk) / 100,
    },
    p95Seconds: p95Milliseconds === undefined ? undefined : p95Milliseconds / 1000,
  };
}

/** What a plan must keep to. */
export function boundsOf(
  spec: RebalancePolicySpec,
): Pick<Problem, 'limits' | 'maxMoves' | 'maxBytes' | 'keepsSource' | 'goal'> {
  const { imbalance, limits } = thresholdsOf(spec);
  return {
    limits,
    maxMoves: spec.budget?.maxMoves ?? DEFAULTS.maxMoves,
    maxBytes: spec.budget?.maxBytes,
    keepsSource: spec.migration?.keepSourceHours !== 0,
    goal: closesAt(imbalance),
  };
}

export const windowSeconds = ({ observe }: RebalancePolicySpec): number =>
  (observe?.windowMinutes ?? DEFAULTS.windowMinutes) * 60;

export const horizonSeconds = ({ forecast }: RebalancePolicySpec): number =>
  (forecast?.horizonHours ?? DEFAULTS.horizonHours) * 3600;

/** Load by which a plan is called for. */
export const callingLoad = (ring: Ring, spec: RebalancePolicySpec, now: number): number | undefined =>
  percentile(ring, CALLED_BY, { now, seconds: windowSeconds(spec) });

/** Load by which a library is placed: nobody is moved for the hour in which others sleep. */
export function placingLoad(ring: Ring, now: number): number | undefined {
  const step = Math.floor(now / (ring.stepSeconds * 1000));
  const known = placed.get(ring);
  if (known?.step === step) return known.load;
  const load = percentile(ring, SIZED_BY, { now, seconds: DAY_SECONDS });
  placed.set(ring, { step, load });
  return load;
}

/** While a plan is executed it is compared with the world every second: 1000 libraries take 140 ms to sort anew. */
const placed = new WeakMap<Ring, { readonly step: number; readonly load: number | undefined }>();
