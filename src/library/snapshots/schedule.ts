import { Cron } from 'croner';

export type Schedule = { readonly schedule: string; readonly timeZone?: string | undefined };

/**
 * The first moment after `after` (milliseconds since the epoch) at which the schedule fires. A local time that a change
 * of the clock leaves out fires when the clock has gone on; one that comes twice fires once.
 *
 * @returns undefined for a schedule that never fires again
 */
export function nextFire({ schedule, timeZone = 'Etc/UTC' }: Schedule, after: number): number | undefined {
  return new Cron(schedule, { timezone: timeZone, paused: true }).nextRun(new Date(after))?.getTime();
}
