import { createHash } from 'node:crypto';
import { canonicalJson } from '../../vectors/index.ts';
import type { Plan } from './plan.ts';
import type { Problem } from './problem.ts';

/** What stands in the ConfigMap: all that a person needs to judge a plan, and all that is needed to execute it as shown. */
export type PlanDocument = {
  readonly format: 1;
  /** Of the problem and the moves; what an approval names. */
  readonly digest: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly problem: Problem;
  readonly plan: Plan;
};

/** A proposal is good for so long. Source: Cruise Control `proposal.expiration.ms`. */
export const EXPIRES_SECONDS = 15 * 60;
/** A ConfigMap holds 1 MiB. */
const MOST_BYTES = 900_000;
const DIGITS = 16;

/** What can't be kept, or was kept and is not what it says. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
  readonly reason: 'TooLarge' | 'NotReadable' | 'DigestDiffers';

  constructor(reason: PlanError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Same problem and same moves, same digest: the time at which it was made does not count. */
export function planDigest(problem: Problem, plan: Plan): string {
  const moves = plan.moves.map(({ library, from, to, bytes }) => ({ library, from, to, bytes }));
  return createHash('sha256').update(canonicalJson({ problem, moves })).digest('hex').slice(0, DIGITS);
}

/** @param now milliseconds since the epoch */
export const planDocument = (problem: Problem, plan: Plan, now: number): PlanDocument => ({
  format: 1,
  digest: planDigest(problem, plan),
  createdAt: new Date(now).toISOString(),
  expiresAt: new Date(now + EXPIRES_SECONDS * 1000).toISOString(),
  problem,
  plan,
});

/** @throws PlanError `TooLarge` */
export function writePlan(document: PlanDocument): string {
  const text = JSON.stringify(document, undefined, 2);
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_BYTES) throw new PlanError('TooLarge', `the plan takes ${bytes} bytes of ${MOST_BYTES}`);
  return text;
}

/**
 * Reads a plan back: only one that nobody has changed since is ever executed.
 *
 * @throws PlanError `NotReadable` or `DigestDiffers`
 */
export function readPlan(text: string): PlanDocument {
  const document = parsed(text);
  const digest = planDigest(document.problem, document.plan);
  if (digest !== document.digest)
    throw new PlanError('DigestDiffers', `the plan says ${document.digest} of itself and is ${digest}`);
  return document;
}

function parsed(text: string): PlanDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PlanError('NotReadable', error instanceof Error ? error.message : String(error));
  }
  if (!isDocument(value)) throw new PlanError('NotReadable', 'it is no plan of format 1');
  return value;
}

function isDocument(value: unknown): value is PlanDocument {
  if (typeof value !== 'object' || value === null) return false;
  const { format, digest, problem, plan } = value as Partial<PlanDocument>;
  return format === 1 && typeof digest === 'string' && Array.isArray(problem?.libraries) && Array.isArray(plan?.moves);
}
