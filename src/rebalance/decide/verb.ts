import { ANNOTATIONS } from '../../api/index.ts';
import type { Reason } from '../reasons.ts';
import { answer, type Effect, type PlanState, parseVerb } from '../verbs.ts';
import type { World } from '../world.ts';

export type VerbOutcome =
  | { readonly kind: 'obeyed'; readonly value: string; readonly effect: Effect; readonly state: PlanState }
  | { readonly kind: 'refused'; readonly value: string; readonly reason: Reason; readonly message: string };

export const stateOf = ({ policy }: Pick<World, 'policy'>): PlanState => policy.status?.plan?.state ?? 'None';

/** What the annotation asks for, and what comes of it; undefined: it is not there. */
export function verbOf({ policy, now }: World): VerbOutcome | undefined {
  const value = policy.metadata.annotations?.[ANNOTATIONS.plan];
  if (value === undefined) return undefined;
  const verb = parseVerb(value);
  if (verb === undefined) {
    const message = `${ANNOTATIONS.plan}: ${JSON.stringify(value.slice(0, 100))}: must be approve=<digest>, stop or refresh`;
    return { kind: 'refused', value, reason: 'UnknownVerb', message };
  }
  const { plan } = policy.status ?? {};
  const expiresAt = plan?.expiresAt === undefined ? undefined : Date.parse(plan.expiresAt);
  const facts = { state: stateOf({ policy }), digest: plan?.digest, expiresAt, mode: policy.spec.mode ?? 'Recommend' };
  const told = answer(verb, facts, now);
  return told.kind === 'obeyed'
    ? { kind: 'obeyed', value, effect: told.effect, state: told.state }
    : { kind: 'refused', value, reason: told.reason, message: `${ANNOTATIONS.plan}: ${value}: ${told.message}` };
}
