import type { Condition } from '../../api/index.ts';
import {
  type ConditionStatus,
  type Finalized,
  finalizeConditions,
  type PassResult,
  removeCondition,
  setCondition,
} from '../../kube/index.ts';
import { running } from '../decide/moves.ts';
import type { Decision } from '../decide.ts';
import { isAhead, type Prediction } from '../outlook.ts';
import type { Reason } from '../reasons.ts';
import type { World } from '../world.ts';
import { cut } from './figures.ts';

export type Failure = { readonly reason: Reason; readonly message: string };

type Said = { readonly status: ConditionStatus; readonly reason: Reason; readonly message: string };

/** Reasons for which nothing is planned and somebody has to do something, or to wait. */
const UNREADY: ReadonlySet<Reason> = new Set<Reason>([
  'NoClusterMatches',
  'OneCluster',
  'NoLibraryMatches',
  'LoadUnknown',
  'CapacityUnknown',
  'LibrariesClaimed',
  'ConfigMapTaken',
]);

/** Conditions of the policy's own; undefined: not there now. */
const CONDITIONS: Readonly<Record<string, (world: World, decision: Decision) => Said | undefined>> = {
  Planned: (_world, { state, reason, message }) => ({
    status: state === 'Proposed' || state === 'Approved' || state === 'Running' ? 'True' : 'False',
    reason,
    message,
  }),
  Balanced: balanced,
  LoadKnown: loadKnown,
  ThresholdAhead: ahead,
  VersionsDiffer: versions,
  VerbRefused: (_world, { verb }) =>
    verb?.kind === 'refused' ? { status: 'True', reason: verb.reason, message: verb.message } : undefined,
  Suspended: ({ policy }) =>
    policy.spec.suspend === true ? { status: 'True', reason: 'Suspended', message: 'spec.suspend is true' } : undefined,
};

const OBSERVED: ReadonlySet<string> = new Set(['Balanced', 'LoadKnown', 'ThresholdAhead', 'VersionsDiffer']);

export const CONDITION_TYPES = Object.keys(CONDITIONS);

export function conditionsOf(world: World, decision: Decision, failure: Failure | undefined): Finalized {
  const { policy } = world;
  const generation = policy.metadata.generation ?? 0;
  const now = new Date(world.now).toISOString();
  let list: Condition[] = [...(policy.status?.conditions ?? [])];
  for (const [type, of] of Object.entries(CONDITIONS)) {
    // Nobody looks: what was seen last stands.
    if (policy.spec.suspend === true && OBSERVED.has(type)) continue;
    const said = of(world, decision);
    list =
      said === undefined
        ? removeCondition(list, type)
        : setCondition(list, { type, ...said, message: cut(said.message), observedGeneration: generation }, now);
  }
  return finalizeConditions(list, {
    result: resultOf(world, decision, failure),
    generation,
    now,
    ready: readyOf(world, decision),
  });
}

function resultOf({ invalid }: World, { execution }: Decision, failure: Failure | undefined): PassResult {
  if (invalid.length > 0) return { kind: 'stalled', reason: 'InvalidSpec', message: cut(invalid.join('; ')) };
  if (failure !== undefined) return { kind: 'failed', ...failure, message: cut(failure.message) };
  const moves = running(execution);
  if (moves.length === 0) return { kind: 'done' };
  return {
    kind: 'wait',
    seconds: 0,
    reason: 'Moving',
    message: cut(moves.map(({ library, to }) => `${library} to ${to}`).join('; ')),
  };
}

function readyOf({ policy }: World, { held }: Decision): Said {
  if (policy.spec.suspend === true) return { status: 'Unknown', reason: 'Suspended', message: 'spec.suspend is true' };
  const hold = held.find(({ reason }) => UNREADY.has(reason));
  if (hold === undefined) return { status: 'True', reason: 'Watching', message: 'load is observed' };
  return { status: 'False', reason: hold.reason, message: cut(hold.message) };
}

function balanced(_world: World, { measured, scaleOut }: Decision): Said {
  if (measured.clusters.length === 0)
    return { status: 'Unknown', reason: 'LoadUnknown', message: 'the load of no cluster is known' };
  const message = measured.reasons.join('; ');
  if (scaleOut) return { status: 'False', reason: 'ScaleOutProposed', message };
  return message === ''
    ? { status: 'True', reason: 'Balanced', message: 'no cluster has been above a threshold for long enough' }
    : { status: 'False', reason: 'Imbalanced', message };
}

function loadKnown({ clusters }: World): Said {
  const blind = clusters.filter(({ unknown, seen }) => unknown !== undefined || seen === undefined);
  if (blind.length > 0) {
    const message = blind.map(({ name, unknown }) => `${name}: ${unknown ?? 'not looked at yet'}`).join('; ');
    return { status: 'False', reason: 'LoadUnknown', message };
  }
  const sizeless = clusters.filter(({ capacity }) => capacity === undefined).map(({ name }) => name);
  if (sizeless.length === 0) return { status: 'True', reason: 'Known', message: 'every peer of every cluster answers' };
  const message = `${sizeless.join(', ')}: neither the spec nor Qdrant tells cores, memory and disk`;
  return { status: 'False', reason: 'CapacityUnknown', message };
}

function ahead({ outlook, now, policy }: World): Said | undefined {
  if (policy.spec.forecast?.method === 'None') return undefined;
  if (outlook === undefined || outlook.length === 0)
    return { status: 'Unknown', reason: 'TooLittleKnown', message: 'too little of the past is known' };
  const crossing = outlook.filter((prediction) => isAhead(prediction, now));
  if (crossing.length === 0)
    return { status: 'False', reason: 'NothingAhead', message: 'no threshold will be crossed within the horizon' };
  return { status: 'True', reason: 'ThresholdAhead', message: crossing.map(foreseen).join('; ') };
}

const iso = (at: number): string => new Date(at).toISOString();

export function foreseen({ cluster, dimension, threshold, crossesAt, earliestAt, method, error }: Prediction): string {
  const limit = `${Math.round(threshold * 100)} %`;
  const expected = crossesAt === undefined ? 'not expected within the horizon' : `expected at ${iso(crossesAt)}`;
  const earliest = earliestAt === undefined ? '' : `at the earliest at ${iso(earliestAt)}, `;
  return `${dimension} of ${cluster} crosses ${limit}: ${earliest}${expected} (${method}, mean error ${(error * 100).toFixed(1)} %)`;
}

function versions({ clusters }: World): Said | undefined {
  const told = clusters.flatMap(({ name, version }) => (version === undefined ? [] : [{ name, version }]));
  if (new Set(told.map(({ version }) => version)).size < 2) return undefined;
  const message = told.map(({ name, version }) => `${name} runs ${version}`).join(', ');
  return { status: 'True', reason: 'VersionsDiffer', message: `${message}: nothing moves to an older one` };
}
