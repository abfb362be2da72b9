import { ANNOTATIONS, type RebalancePolicyStatus } from '../api/index.ts';
import { blocker, moveOf } from './decide/follow.ts';
import { running } from './decide/moves.ts';
import type { Decision } from './decide.ts';
import { planName } from './names.ts';
import { conditionsOf, type Failure } from './report/conditions.ts';
import { percentOf, withoutNumbers } from './report/figures.ts';
import { forecastStatus, loadStatus } from './report/load.ts';
import type { World } from './world.ts';

type PlanStatus = NonNullable<RebalancePolicyStatus['plan']>;
type MoveStatus = NonNullable<RebalancePolicyStatus['moves']>[number];

export type Pass = {
  readonly world: World;
  readonly decision: Decision;
  /** What was thrown while acting; its message holds no secret. */
  readonly failure: Failure | undefined;
  /** Milliseconds since the epoch. */
  readonly lookedAt: number | undefined;
};

/** The status that a pass comes to. Pure; a pass that changes nothing gives the status that there was. */
export function statusOf({ world, decision, failure, lookedAt }: Pass): RebalancePolicyStatus {
  const { policy, outlook = [] } = world;
  const before = policy.status ?? {};
  const { conditions, observedGeneration } = conditionsOf(world, decision, failure);
  // What a failed step was to bring about is not written down as done.
  const done = failure === undefined;
  const plan = done ? planStatus(world, decision) : before.plan;
  const moves = movesStatus(world, decision);
  const forecast = forecastStatus(outlook);
  const { verb } = decision;
  return {
    ...(before.observedGeneration === undefined ? {} : { observedGeneration: before.observedGeneration }),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    conditions,
    ...(lookedAt === undefined ? {} : { observedAt: new Date(lookedAt).toISOString() }),
    ...(isSuspended(world) ? lastSeen(before) : { load: loadStatus(world, decision.measured) }),
    ...(forecast.length === 0 || isSuspended(world) ? {} : { forecast }),
    ...(plan === undefined ? {} : { plan }),
    ...(moves.length === 0 ? {} : { moves }),
    ...((done ? decision.history : (before.history ?? [])).length === 0
      ? {}
      : { history: [...(done ? decision.history : (before.history ?? []))] }),
    ...(verb?.kind === 'obeyed' && done
      ? { lastHandled: { ...before.lastHandled, [VERB]: verb.value } }
      : before.lastHandled === undefined
        ? {}
        : { lastHandled: before.lastHandled }),
  };
}

/** Nobody looks: what was seen last stands, and does not age with every pass. */
const isSuspended = ({ policy }: World): boolean => policy.spec.suspend === true;
const lastSeen = ({ load, forecast }: RebalancePolicyStatus): Pick<RebalancePolicyStatus, 'load' | 'forecast'> => ({
  ...(load === undefined ? {} : { load }),
  ...(forecast === undefined ? {} : { forecast }),
});

const VERB = ANNOTATIONS.plan.split('/').at(-1) ?? '';

/** Of the plan that there is, or of the last one with how it ended. */
function planStatus({ policy }: World, { state, document }: Decision): PlanStatus | undefined {
  if (state === 'None') return undefined;
  const before = policy.status?.plan;
  if (document === undefined) return before && { ...before, state };
  const { digest, createdAt, expiresAt, plan } = document;
  const { moves, after, lowerBound } = plan;
  return {
    digest,
    configMap: planName(policy.metadata.name),
    state,
    createdAt,
    expiresAt,
    moves: moves.length,
    bytes: moves.reduce((sum, { bytes }) => sum + bytes, 0),
    imbalanceBeforePercent: Math.max(0, percentOf(plan.before) - 100),
    imbalanceAfterPercent: Math.max(0, percentOf(after) - 100),
    ...(lowerBound === undefined || lowerBound <= 0
      ? {}
      : { lowerBoundRatioPermille: Math.min(1_000_000, Math.round((after / lowerBound) * 1000)) }),
  };
}

const STEPS = {
  Building: 'Planned',
  Probed: 'Probed',
  Copying: 'BaseCopy',
  Converging: 'Converging',
  Fenced: 'Fenced',
  Verified: 'Verified',
  Switched: 'Switched',
} as const satisfies Record<string, MoveStatus['step']>;

function movesStatus({ libraries }: World, { execution, blockedBy }: Decision): MoveStatus[] {
  return running(execution).map(({ library, from, to, startedAt }): MoveStatus => {
    const object = libraries.find(({ name }) => name === library)?.object;
    const change = object && moveOf(object, to);
    const why = object && blocker(object);
    const refused = [...(change?.blockedBy ?? []), ...blockedBy].slice(0, 32);
    return {
      library,
      from,
      to,
      step: change === undefined ? 'Planned' : STEPS[change.step],
      startedAt: new Date(startedAt).toISOString(),
      ...(change?.copied === undefined ? {} : { copied: change.copied }),
      ...(change?.total === undefined ? {} : { total: change.total }),
      ...(refused.length > 0
        ? { blockedBy: refused }
        : why === undefined
          ? {}
          : { blockedBy: [{ name: 'library-moves', reason: why.slice(0, 512) }] }),
    };
  });
}

/** The status without what only ticks: whether the rest has changed decides over immediate writes. */
export function withoutTicks(status: RebalancePolicyStatus): RebalancePolicyStatus {
  const { observedAt: _at, load, forecast, moves, conditions, ...rest } = status;
  return {
    ...rest,
    ...(load === undefined
      ? {}
      : {
          load: load.map(({ cluster, libraries, unknown }) => ({
            cluster,
            libraries,
            ...(unknown === undefined ? {} : { unknown: 'yes' }),
          })),
        }),
    ...(forecast === undefined
      ? {}
      : { forecast: forecast.map((one) => ({ ...one, ...NO_FIGURES, crossesAt: '', earliestAt: '' })) }),
    ...(moves === undefined
      ? {}
      : { moves: moves.map(({ library, from, to, step, startedAt }) => ({ library, from, to, step, startedAt })) }),
    ...(conditions === undefined
      ? {}
      : { conditions: conditions.map((condition) => ({ ...condition, message: withoutNumbers(condition.message) })) }),
  };
}

const NO_FIGURES = {
  expectedPercent: 0,
  lowerPercent: 0,
  upperPercent: 0,
  errorPercent: 0,
  relativeErrorPermille: 0,
  thresholdPercent: 0,
} as const;
