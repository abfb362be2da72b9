import { Cron } from 'croner';

export type Timetable = {
  /** Five fields of cron, or `@daily` and its like. */
  readonly schedule: string;
  /** IANA; default: UTC. */
  readonly timeZone?: string | undefined;
};

/**
 * The first time of the table after a moment, by the clock on the wall of its time zone: one that falls into the hour
 * that clocks skip comes right after it; one in the hour that comes twice, once.
 *
 * @param after milliseconds since the epoch
 * @returns undefined when there is none
 * @throws Error for a table that can't be read, see `timetableProblem`
 */
export const nextTime = ({ schedule, timeZone = 'Etc/UTC' }: Timetable, after: number): number | undefined =>
  new Cron(schedule, { timezone: timeZone, paused: true }).nextRun(new Date(after))?.getTime();

/** Why a table can't be read: field, value and rule. The API server's pattern lets `99 * * * *` pass. */
export function timetableProblem(table: Timetable): string | undefined {
  const { schedule, timeZone } = table;
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    return `spec.timeZone: ${JSON.stringify(timeZone)}: no time zone of that name is known`;
  }
  try {
    if (nextTime(table, 0) !== undefined) return undefined;
    return `spec.schedule: ${JSON.stringify(schedule)}: no day fits it`;
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it is no schedule';
    return `spec.schedule: ${JSON.stringify(schedule)}: ${why}`;
  }
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
