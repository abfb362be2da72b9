import { type Blocker, disabledPredicates, isDisabled, type RebalancePolicySpec } from '../../api/index.ts';
import { refusedByGate } from '../gate.ts';
import type { Measured } from '../measure.ts';
import type { Plan } from '../plan/plan.ts';
import type { Problem } from '../plan/problem.ts';
import { participants } from '../question.ts';
import type { Reason } from '../reasons.ts';
import { horizonSeconds, thresholdsOf, windowSeconds } from '../settings.ts';
import type { World } from '../world.ts';
import { escalation, worth } from '../worth.ts';

export type Held = { readonly reason: Reason; readonly message: string };

/** Bytes a second that a move makes where none has been seen: a cautious guess. */
const CAUTIOUS = 10 * 1024 * 1024;
/** A plan that was not found is not looked for again at once. */
const LEAST_QUIET_SECONDS = 60;
const MOST_QUIET_SECONDS = 4 * 3600;

const REASON_OF: Readonly<Record<string, Reason>> = {
  'two-clusters-take-part': 'OneCluster',
  'libraries-take-part': 'NoLibraryMatches',
  'enough-is-known': 'LoadUnknown',
  'last-move-shows': 'Settling',
};

/** Why nothing may be planned now; the first is told. Empty: a plan may be made. */
export function heldBy(world: World, measured: Measured): Held[] {
  const { policy, claimed, taken, clusters, libraries } = world;
  const disabled = disabledPredicates(policy);
  const held: Held[] = [];
  if (taken.length > 0)
    held.push({ reason: 'ConfigMapTaken', message: `ConfigMap ${taken.join(', ')} exists and is not ours` });
  const [claim] = claimed;
  if (claim !== undefined) {
    const others = claimed.length > 1 ? ` and ${claimed.length - 1} more` : '';
    const message = `library ${claim.library}${others}: RebalancePolicy ${claim.policy}, which is older, chooses it, too`;
    held.push({ reason: 'LibrariesClaimed', message });
  }
  if (clusters.length === 0)
    held.push({ reason: 'NoClusterMatches', message: 'no QdrantCluster matches spec.clusterSelector' });
  if (libraries.length === 0)
    held.push({ reason: 'NoLibraryMatches', message: 'no DomainLibrary matches spec.librarySelector' });
  if (clusters.length >= 2) held.push(...unknown(world));
  for (const { name, reason } of gateRefusals(world, measured))
    if (!isDisabled(disabled, name)) held.push({ reason: REASON_OF[name] ?? 'LoadUnknown', message: reason });
  return held;
}

/** What speaks against planning now, whether or not it is switched off. */
export function gateRefusals(world: World, { completeness }: Measured): Blocker[] {
  const { policy, clusters, libraries, kept, now } = world;
  const ended = Object.values(kept.moved).map(({ endedAt }) => endedAt);
  return refusedByGate({
    clusters: participants(clusters).map(({ name }) => name),
    libraries: libraries.map(({ name, object }) => ({ name, cluster: object.status?.cluster ?? '' })),
    completeness,
    lastMoveEndedAt: ended.length === 0 ? undefined : Math.max(...ended),
    windowSeconds: windowSeconds(policy.spec),
    now,
  });
}

/** Clusters that would leave fewer than two, or whose load is missing from the sum. */
function unknown({ clusters }: World): Held[] {
  const blind = clusters.filter(({ seen }) => seen === undefined);
  const sizeless = clusters.filter(({ seen, capacity }) => seen !== undefined && capacity === undefined);
  const rest = clusters.length - blind.length - sizeless.length;
  if (rest >= 2) return [];
  return [
    ...blind.map(
      ({ name, unknown }): Held => ({ reason: 'LoadUnknown', message: `${name}: ${unknown ?? 'not seen yet'}` }),
    ),
    ...sizeless.map(
      ({ name }): Held => ({
        reason: 'CapacityUnknown',
        message: `${name}: neither its spec nor Qdrant tells its cores, memory and disk`,
      }),
    ),
  ];
}

export type Offer =
  | { readonly kind: 'offered' }
  | { readonly kind: 'refused'; readonly message: string; readonly scaleOut: boolean; readonly quietSeconds: number };

/** Whether a plan that was made is worth showing. */
export function offerOf({ policy: { spec }, kept }: World, measured: Measured, plan: Plan): Offer {
  const judged = worth(plan, {
    imbalance: thresholdsOf(spec).imbalance,
    horizonSeconds: horizonSeconds(spec),
    bytesPerSecond: speedOf(kept),
    urgent: measured.urgent,
  });
  if (judged.worth) return { kind: 'offered' };
  const refusals = kept.refusals + 1;
  return {
    kind: 'refused',
    message: plan.moves.length === 0 ? whyNone(plan) : whyNotWorth(plan, judged),
    scaleOut: escalation(refusals).proposeScaleOut,
    quietSeconds: quietSeconds(spec, refusals),
  };
}

/** How long no other plan is looked for after so many that nothing came of. */
export const quietSeconds = (spec: RebalancePolicySpec, refusals: number): number =>
  Math.min(Math.max(windowSeconds(spec), LEAST_QUIET_SECONDS) * refusals, MOST_QUIET_SECONDS);

/** The slowest of the moves that were seen. */
function speedOf({ moved }: World['kept']): number {
  const speeds = Object.values(moved)
    .filter(({ seconds, bytes }) => seconds > 0 && bytes > 0)
    .map(({ seconds, bytes }) => bytes / seconds);
  return speeds.length === 0 ? CAUTIOUS : Math.min(...speeds);
}

function whyNone({ before, stays }: Plan): string {
  const reasons = stays.map(({ library, reason }) => `${library}: ${reason}`).join('; ');
  return `no move brings the highest load below ${before.toFixed(2)} times the mean${reasons === '' ? '' : ` (${reasons})`}`;
}

const whyNotWorth = ({ before, after, moves }: Plan, { seconds }: { readonly seconds: number }): string =>
  `${moves.length} moves, ${Math.ceil(seconds)} s of copying, would bring ${before.toFixed(2)} to ${after.toFixed(2)} times the mean: not worth it`;

/** The question that a planner gets. */
export type Asked = { readonly problem: Problem; readonly now: number };
