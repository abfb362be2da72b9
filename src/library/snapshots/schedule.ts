import { Cron } from 'croner';

export type Schedule = { readonly schedule: string; readonly timeZone?: string | undefined };

/**
 * The first moment after `after` (milliseconds since the epoch) at which the schedule fires. A local time that a change
 * of the clock leaves out fires when the clock has gone on; one that comes twice fires once.
 *
 * @returns undefined for a schedule that never fires again
 * @throws Error for one that can't be read, see `scheduleProblem`
 */
export function nextFire({ schedule, timeZone = 'Etc/UTC' }: Schedule, after: number): number | undefined {
  return new Cron(schedule, { timezone: timeZone, paused: true }).nextRun(new Date(after))?.getTime();
}

/**
 * Why a schedule can't be read: field, value and rule. The API server's patterns let `99 * * * *` and any word as a zone pass.
 *
 * @param section what the two fields stand in, `spec.snapshots` for one
 */
export function scheduleProblem({ schedule, timeZone }: Schedule, section: string): string | undefined {
  const zone = timeZone ?? 'Etc/UTC';
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
  } catch {
    return `${section}.timeZone: ${JSON.stringify(zone)}: no time zone of that name is known`;
  }
  try {
    nextFire({ schedule, timeZone }, 0);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it can not be read';
    return `${section}.schedule: ${JSON.stringify(schedule)}: ${why}`;
  }
}
