import { microTime } from './clock.ts';
import type { Lease } from './wire.ts';

export type LeaseSpec = NonNullable<Lease['spec']>;

/** A lease as this process saw it, and when, by its own monotonic clock: the holder's clock may be wrong. */
export type Observation = { readonly lease: Lease; readonly at: number };

/** Takes in what was read; the time moves only when the holder wrote something. */
export function observe(before: Observation | undefined, lease: Lease, now: number): Observation {
  const same = before !== undefined && JSON.stringify(before.lease.spec) === JSON.stringify(lease.spec);
  return { lease, at: same ? before.at : now };
}

/**
 * Whether somebody else may still believe to hold the lease.
 * Source: client-go `LeaderElector.isLeaseValid`: the time runs from when the last renewal was seen.
 */
export function heldByOther(
  observation: Observation,
  options: { readonly identity: string; readonly leaseSeconds: number; readonly now: number },
): boolean {
  const { holderIdentity, leaseDurationSeconds } = observation.lease.spec ?? {};
  if (holderIdentity === undefined || holderIdentity === '' || holderIdentity === options.identity) return false;
  const seconds = leaseDurationSeconds ?? options.leaseSeconds;
  return options.now < observation.at + seconds * 1000;
}

/** What to write to take or to keep the lease. */
export function heldSpec(
  before: LeaseSpec | undefined,
  options: { readonly identity: string; readonly leaseSeconds: number; readonly date: Date },
): LeaseSpec {
  const { identity, leaseSeconds, date } = options;
  const now = microTime(date);
  const kept = before?.holderIdentity === identity;
  const transitions = before?.leaseTransitions ?? 0;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: leaseSeconds,
    acquireTime: kept ? (before.acquireTime ?? now) : now,
    renewTime: now,
    leaseTransitions: kept || before === undefined ? transitions : transitions + 1,
  };
}

/** What to write to give it up at once. Source: client-go `LeaderElector.release`. */
export function releasedSpec(before: LeaseSpec | undefined, date: Date): LeaseSpec {
  const now = microTime(date);
  return {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: before?.leaseTransitions ?? 0,
  };
}
