import { type Blocker, disabledPredicates, overruled, type RebalancePolicyStatus } from '../api/index.ts';
import type { Occurrence } from '../kube/index.ts';
import { type Asked, gateRefusals, type Held, heldBy, offerOf, quietSeconds } from './decide/call.ts';
import { abortMoves, beginMoves, followMoves, movesLeft, running } from './decide/moves.ts';
import type { Step } from './decide/step.ts';
import { stateOf, type VerbOutcome, verbOf } from './decide/verb.ts';
import { explained, iso } from './decide/words.ts';
import { type Execution, type Kept, withoutOldMoves } from './kept.ts';
import { type LifecycleFacts, next } from './lifecycle.ts';
import { type Measured, measure } from './measure.ts';
import { type PlanDocument, planDocument } from './plan/document.ts';
import { drift } from './plan/drift.ts';
import type { Problem } from './plan/problem.ts';
import { problemOf } from './question.ts';
import type { Reason } from './reasons.ts';
import type { PlanState } from './verbs.ts';
import { type WindowState, windowState } from './windows.ts';
import type { World } from './world.ts';

export type PastPlan = NonNullable<RebalancePolicyStatus['history']>[number];

/** What a pass comes to. */
export type Decision = {
  readonly measured: Measured;
  readonly held: readonly Held[];
  readonly state: PlanState;
  /** Where the plan stands, or why there is none. */
  readonly reason: Reason;
  readonly message: string;
  readonly kept: Kept;
  readonly execution: Execution | undefined;
  readonly document: PlanDocument | undefined;
  readonly scaleOut: boolean;
  readonly verb: VerbOutcome | undefined;
  readonly history: readonly PastPlan[];
  readonly steps: readonly Step[];
  readonly events: readonly Occurrence<Reason>[];
  readonly blockedBy: readonly Blocker[];
  /** Refusals that were passed over because their predicates are switched off. */
  readonly overruled: readonly Blocker[];
  readonly window: WindowState;
  /** A plan is to be made, and the pass decided again with it. */
  readonly ask?: Asked;
};

/** States in which a plan is to be executed, or may yet be. */
const OPEN: ReadonlySet<PlanState> = new Set(['Proposed', 'Approved', 'Running']);
const MOST_HISTORY = 16;
/** After an obeyed verb and after a transition there may be more to do. */
type Result = Pick<Decision, 'state' | 'reason' | 'message' | 'kept' | 'execution' | 'document'> &
  Partial<Pick<Decision, 'steps' | 'events' | 'blockedBy' | 'overruled' | 'ask' | 'scaleOut' | 'verb'>>;

/** What to do next about a policy. Pure: the same world, the same decision. */
export function decide(world: World): Decision {
  const { policy, now } = world;
  const measured = measure(world);
  const followed = followMoves(world);
  const kept = withoutOldMoves({ ...world.kept, moved: followed.moved, alarms: measured.alarms }, now);
  const state = stateOf(world);
  const verb = verbOf(world);
  const held = heldBy({ ...world, kept }, measured);
  const window = windowState(policy.spec.windows ?? [], now);
  const document =
    world.plan.kind === 'plan' && world.plan.document.digest === policy.status?.plan?.digest
      ? world.plan.document
      : undefined;
  const standing: Standing = { state, document, execution: followed.execution, kept };
  const result =
    verb?.kind === 'obeyed' && verb.effect !== 'nothing'
      ? obey(verb, standing)
      : OPEN.has(state)
        ? proceed(world, standing, window)
        : propose(world, standing, { measured, held, window });
  return {
    measured,
    held,
    window,
    verb,
    scaleOut: false,
    blockedBy: [],
    overruled: [],
    ...result,
    history: historyOf(world, result),
    steps: [
      ...followed.steps,
      ...(result.steps ?? []),
      ...(verb?.kind === 'obeyed' ? [{ kind: 'clearVerb', value: verb.value } as const] : []),
    ],
    events: [...followed.events, ...(result.events ?? []), ...transition(world, result)],
  };
}

type Standing = {
  readonly state: PlanState;
  readonly document: PlanDocument | undefined;
  readonly execution: Execution | undefined;
  readonly kept: Kept;
};

function obey(verb: Extract<VerbOutcome, { kind: 'obeyed' }>, standing: Standing): Result {
  const { execution, kept, document } = standing;
  switch (verb.effect) {
    case 'approve':
      return { ...standing, state: verb.state, reason: 'Approved', message: verb.value };
    case 'dropPlan': {
      const asked = { ...untold(kept), asked: true, quietUntil: 0, refusals: 0 };
      return {
        state: 'None',
        reason: 'Planning',
        message: 'asked for by the annotation',
        kept: asked,
        execution,
        document: undefined,
      };
    }
    case 'stop':
    case 'abortMoves': {
      const aborted = abortMoves(execution);
      return { kept, document, state: verb.state, reason: 'Stopped', message: 'stopped by the annotation', ...aborted };
    }
    case 'nothing':
      return { ...standing, reason: 'Ended', message: '' };
  }
}

/** A plan that is shown, approved or executed. */
function proceed(world: World, standing: Standing, window: WindowState): Result {
  const { policy, now } = world;
  const { state, document, execution } = standing;
  const present = problemOf({ ...world, kept: standing.kept });
  const { expiresAt } = policy.status?.plan ?? {};
  const to = next(state, {
    ...factsOf(world, standing, window),
    // What nobody has to approve is not told anew every quarter of an hour until its window opens.
    expired: !(policy.spec.mode === 'Auto' && !window.open) && expiresAt !== undefined && now >= Date.parse(expiresAt),
    drift: changes(world, { ...standing, present }),
    moves: {
      left: document === undefined ? 0 : movesLeft(document, execution).length,
      running: running(execution).length,
      failed: (execution?.moves ?? []).filter((record) => record.state === 'Failed').length,
    },
  });
  const said = { document, window, moves: execution?.moves ?? [] };
  const kept = to.state === 'Failed' ? afterFailure(world, standing.kept) : standing.kept;
  const told = { ...standing, kept, state: to.state, reason: to.reason, message: explained(to, said) };
  if (!to.begin || document === undefined) return told;
  const begun = beginMoves(world, document, { execution, present });
  return { ...told, ...begun };
}

/** What has failed just now would fail again. */
const afterFailure = ({ policy, now }: World, kept: Kept): Kept => {
  const refusals = kept.refusals + 1;
  return { ...kept, refusals, quietUntil: now + quietSeconds(policy.spec, refusals) * 1000 };
};

/** What has changed under the plan. */
function changes(world: World, { document, execution, present }: Standing & { readonly present: Problem }): string[] {
  if (world.plan.kind === 'broken') return [`the plan can't be read back: ${world.plan.message}`];
  if (document === undefined) return ['the ConfigMap of the plan is gone, or holds another one'];
  const unfinished = movesLeft(document, execution).map(({ move }) => move);
  const done = (execution?.moves ?? []).filter(({ state }) => state === 'Done');
  // What runs is on its way: it is where it was until it is where it goes.
  const busy = new Set(running(execution).map(({ library }) => library));
  const left = unfinished.filter(({ library }) => !busy.has(library));
  return drift(document.problem, present, { left, done, now: world.now });
}

type Calling = { readonly measured: Measured; readonly held: readonly Held[]; readonly window: WindowState };

/** No plan is open: is there to be one? */
function propose(world: World, standing: Standing, { measured, held, window }: Calling): Result {
  const { policy, now, made } = world;
  const { execution, state, kept } = standing;
  const asked = kept.asked;
  const called = measured.reasons.length > 0 ? measured.reasons : asked ? ['asked for by the annotation'] : [];
  const facts = { ...factsOf(world, standing, window), called };
  const first = next(state, {
    ...facts,
    moves: { left: 0, failed: 0, running: running(execution).length },
    offered: false,
  });
  const said = { document: standing.document, window, moves: execution?.moves ?? [] };
  const stay: Result = { ...standing, reason: first.reason, message: explained(first, said) };
  if (first.reason !== 'NothingBetter') {
    // Who has asked for a plan is told why there is none.
    if (first.reason === 'Balanced' && kept.told !== undefined && now < kept.quietUntil)
      return { ...stay, reason: 'NothingBetter', message: kept.told };
    // Who asks while nothing is executed has been answered.
    return { ...stay, kept: asked && first.reason === 'Observing' ? { ...kept, asked: false } : kept };
  }
  const [hold] = held;
  if (hold !== undefined) return { ...stay, reason: hold.reason, message: hold.message };
  if (!asked && now < kept.quietUntil)
    return {
      ...stay,
      reason: state === 'Failed' ? 'MoveFailed' : stay.reason,
      scaleOut: policy.status?.conditions?.some(({ reason }) => reason === 'ScaleOutProposed') === true,
      message: [...called, ...(kept.told === undefined ? [] : [kept.told]), again(kept)].join('; '),
    };
  if (made === undefined)
    return {
      ...stay,
      reason: 'Planning',
      message: called.join('; '),
      ask: { problem: problemOf({ ...world, kept }), now },
    };
  const offer = offerOf(world, measured, made.plan);
  if (offer.kind === 'refused') {
    const { message, scaleOut, quietSeconds } = offer;
    const quietUntil = now + quietSeconds * 1000;
    const refusals = kept.refusals + Number(measured.reasons.length > 0);
    const quiet = { ...kept, asked: false, refusals, quietUntil, told: message };
    return { ...stay, kept: quiet, message, scaleOut };
  }
  return {
    document: planDocument(made.problem, made.plan, now),
    execution: running(execution).length > 0 ? execution : undefined,
    kept: { ...untold(kept), asked: false, refusals: 0, quietUntil: 0 },
    state: 'Proposed',
    reason: 'Proposed',
    message: called.join('; '),
    overruled: overruled(disabledPredicates(policy), () => gateRefusals({ ...world, kept }, measured)),
  };
}

function factsOf({ policy }: World, { state }: Standing, window: WindowState): LifecycleFacts {
  const { mode = 'Recommend', suspend = false } = policy.spec;
  return {
    mode,
    // What was approved is not begun any more where nothing may be executed.
    suspended: suspend || (mode === 'Observe' && state === 'Running'),
    windowOpen: window.open,
    called: [],
    offered: false,
    expired: false,
    drift: [],
    moves: { left: 0, running: 0, failed: 0 },
  };
}

const untold = ({ told: _told, ...kept }: Kept): Kept => kept;

const again = ({ quietUntil }: Kept): string => `a plan is looked for again at ${iso(quietUntil)}`;

/** States that end a plan. */
const ENDED: ReadonlySet<PlanState> = new Set(['Stopped', 'Completed', 'Expired', 'Failed']);

/** The last plans, with the present one where it has just ended. One that nobody approved leaves no trace. */
function historyOf(world: World, { state, execution }: Result): PastPlan[] {
  const { policy, now } = world;
  const { history = [], plan } = policy.status ?? {};
  const before = stateOf(world);
  const moved = (execution?.moves ?? []).filter((record) => record.state === 'Done').length;
  // Moves may end after their plan.
  const counted = history.map((past) =>
    past.digest === execution?.digest && past.moved < moved ? { ...past, moved } : past,
  );
  const approved = before === 'Approved' || before === 'Running';
  if (plan === undefined || state === before || !ENDED.has(state) || !(approved || state === 'Stopped')) return counted;
  const entry: PastPlan = {
    digest: plan.digest,
    state: state as PastPlan['state'],
    ...(execution?.digest === plan.digest ? { startedAt: iso(execution.startedAt) } : {}),
    finishedAt: iso(now),
    moved: execution?.digest === plan.digest ? moved : 0,
  };
  return [entry, ...counted].slice(0, MOST_HISTORY);
}

const EVENT_OF: Partial<Record<PlanState, { readonly type: Occurrence['type']; readonly reason: Reason }>> = {
  Proposed: { type: 'Normal', reason: 'Proposed' },
  Approved: { type: 'Normal', reason: 'Approved' },
  Stopped: { type: 'Normal', reason: 'Stopped' },
  Completed: { type: 'Normal', reason: 'Completed' },
  Expired: { type: 'Normal', reason: 'Expired' },
  Failed: { type: 'Warning', reason: 'MoveFailed' },
};

function transition(world: World, { state, reason, message, document }: Result): Occurrence<Reason>[] {
  const event = state === stateOf(world) ? undefined : EVENT_OF[state];
  if (event === undefined) return [];
  const digest = document?.digest ?? world.policy.status?.plan?.digest ?? '';
  const told = state === 'Expired' || state === 'Failed' ? reason : event.reason;
  return [{ type: event.type, reason: told, action: 'Plan', note: `plan ${digest}: ${message}`.slice(0, 1000) }];
}
