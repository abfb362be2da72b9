/** Where a plan stands; `None`: there is none. */
export const PLAN_STATES = [
  'None',
  'Proposed',
  'Approved',
  'Running',
  'Stopped',
  'Completed',
  'Expired',
  'Failed',
] as const;
export type PlanState = (typeof PLAN_STATES)[number];

export const VERBS = ['approve', 'stop', 'refresh'] as const;
export type Verb = { readonly name: 'approve'; readonly digest: string } | { readonly name: 'stop' | 'refresh' };

/**
 * What an annotation asks for; undefined: it is no verb.
 *
 * @param text `approve=<digest>`, `stop` or `refresh`
 */
export function parseVerb(text: string): Verb | undefined {
  const [name = '', ...rest] = text.trim().split('=');
  const digest = rest.join('=');
  if (name === 'approve' && /^[0-9a-f]{8,128}$/.test(digest)) return { name, digest };
  return (name === 'stop' || name === 'refresh') && rest.length === 0 ? { name } : undefined;
}

/** What obeying does: `abortMoves` also gives up moves before their switch; those after it are brought to their end. */
export type Effect = 'approve' | 'dropPlan' | 'stop' | 'abortMoves' | 'nothing';
export type Obeyed = { readonly kind: 'obeyed'; readonly effect: Effect; readonly state: PlanState };
/** The annotation stays, and a condition names the reason. */
export type RefusedVerb = { readonly kind: 'refused'; readonly reason: VerbReason; readonly message: string };
export type VerbReason =
  | 'NoPlan'
  | 'DigestDiffers'
  | 'PlanExpired'
  | 'PlanEnded'
  | 'PlanStopped'
  | 'PlanRuns'
  | 'ModeObserves';

const obey = (effect: Effect, state: PlanState): Obeyed => ({ kind: 'obeyed', effect, state });
const refuse = (reason: VerbReason, message: string): RefusedVerb => ({ kind: 'refused', reason, message });

const NO_PLAN = refuse('NoPlan', 'there is no plan');
const ENDED = refuse('PlanEnded', 'the plan has ended: refresh asks for a new one');
const EXPIRED = refuse('PlanExpired', 'the plan has expired: refresh asks for a new one');
const REPLAN = obey('dropPlan', 'None');

/** What each verb does in each state. */
export const VERB_TABLE: Readonly<Record<Verb['name'], Readonly<Record<PlanState, Obeyed | RefusedVerb>>>> = {
  approve: {
    None: NO_PLAN,
    Proposed: obey('approve', 'Approved'),
    Approved: obey('nothing', 'Approved'),
    Running: obey('nothing', 'Running'),
    Stopped: refuse('PlanStopped', 'the plan was stopped: refresh asks for a new one'),
    Completed: ENDED,
    Expired: EXPIRED,
    Failed: ENDED,
  },
  stop: {
    None: NO_PLAN,
    Proposed: obey('stop', 'Stopped'),
    Approved: obey('stop', 'Stopped'),
    Running: obey('abortMoves', 'Stopped'),
    Stopped: obey('nothing', 'Stopped'),
    Completed: ENDED,
    Expired: ENDED,
    Failed: ENDED,
  },
  refresh: {
    None: REPLAN,
    Proposed: REPLAN,
    Approved: REPLAN,
    Running: refuse('PlanRuns', 'the plan is being executed: stop it first'),
    Stopped: REPLAN,
    Completed: REPLAN,
    Expired: REPLAN,
    Failed: REPLAN,
  },
};

export type PlanFacts = {
  readonly state: PlanState;
  readonly digest?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number | undefined;
  readonly mode: 'Observe' | 'Recommend' | 'Auto';
};

/** What a verb does now. An approval counts only for the plan that it names, while that is valid. */
export function answer(verb: Verb, { state, digest, expiresAt, mode }: PlanFacts, now: number): Obeyed | RefusedVerb {
  const told = VERB_TABLE[verb.name][state];
  if (verb.name !== 'approve' || told.kind === 'refused') return told;
  if (verb.digest !== digest)
    return refuse('DigestDiffers', `the approval names ${verb.digest}, the plan is ${digest ?? 'unknown'}`);
  if (told.effect === 'nothing') return told;
  if (mode === 'Observe') return refuse('ModeObserves', 'spec.mode is Observe: nothing is executed');
  return expiresAt !== undefined && now >= expiresAt ? EXPIRED : told;
}
