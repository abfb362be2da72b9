import { createHash } from 'node:crypto';
import type { DomainLibrary } from '../api/index.ts';
import type { Plan } from './plan.ts';

/** Nothing is under way: what another library saw of the cluster a moment ago will do. */
export const isAtRest = ({ metadata, status }: DomainLibrary): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.observedGeneration === metadata.generation &&
  status?.change === undefined &&
  status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;

/** Whether a plan neither does nor waits for anything. */
export const isQuiet = ({ steps, status, waiting, blockedBy = [] }: Plan): boolean =>
  steps.length === 0 && status === undefined && waiting === undefined && blockedBy.length === 0;

type Decided<Gathered> = { readonly gathered: Gathered; readonly plan: Plan };

/**
 * Decides on what others saw a moment ago only where nothing is under way and nothing is to be done. Anything else is
 * decided anew on a look of the pass's own.
 */
export async function decideAtRest<Gathered>(
  library: DomainLibrary,
  look: (options: { readonly fresh: boolean }) => Promise<Decided<Gathered>>,
): Promise<Decided<Gathered>> {
  if (!isAtRest(library)) return look({ fresh: true });
  const decided = await look({ fresh: false });
  return isQuiet(decided.plan) ? decided : look({ fresh: true });
}

/**
 * Seconds until a library at rest is looked at again: at most a period and a tenth, and at least a tenth. Libraries of
 * one cluster meet at the same moment, so that they share a look; those of different clusters are spread over the period.
 */
export function secondsToNextLook(options: {
  readonly now: number;
  readonly resyncSeconds: number;
  /** What tells the cluster from others. */
  readonly cluster: string;
}): number {
  const period = options.resyncSeconds * 1000;
  const phase = (createHash('sha256').update(options.cluster).digest().readUInt32BE() / 2 ** 32) * period;
  const rest = period - ((((options.now - phase) % period) + period) % period);
  return (rest < period / 10 ? rest + period : rest) / 1000;
}
