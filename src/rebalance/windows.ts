import { Cron } from 'croner';

export type Window = {
  /** Five fields of cron, or `@daily` and its like. */
  readonly schedule: string;
  readonly durationMinutes: number;
  /** IANA; default: UTC. */
  readonly timeZone?: string | undefined;
};

export type WindowState =
  /** `closesAt` in milliseconds since the epoch; undefined: never. */
  | { readonly open: true; readonly closesAt: number | undefined }
  /** `opensAt` undefined: no window ever opens again. */
  | { readonly open: false; readonly opensAt: number | undefined };

/** Windows that follow on each other are one; a chain is followed this far. */
const CHAINED = 64;

/**
 * Whether moves may begin now. Windows open by the clock on the wall of their time zone and last for real minutes: when
 * clocks are put forward, one that would open in the missing hour opens right after it; when they are put back, once.
 *
 * @param windows none: always open
 * @param now milliseconds since the epoch
 */
export function windowState(windows: readonly Window[], now: number): WindowState {
  if (windows.length === 0) return { open: true, closesAt: undefined };
  let closesAt = closing(windows, now);
  if (closesAt === undefined) {
    const openings = windows.flatMap((window) => cron(window).nextRun(new Date(now))?.getTime() ?? []);
    return { open: false, opensAt: openings.length === 0 ? undefined : Math.min(...openings) };
  }
  for (let links = 0; links < CHAINED; links += 1) {
    const later = closing(windows, closesAt);
    if (later === undefined || later <= closesAt) break;
    closesAt = later;
  }
  return { open: true, closesAt };
}

/** When the windows that are open at a moment close; undefined: none is. */
function closing(windows: readonly Window[], at: number): number | undefined {
  const ends = windows.flatMap((window) => {
    const [opened] = cron(window).previousRuns(1, new Date(at + 1));
    const end = opened === undefined ? undefined : opened.getTime() + window.durationMinutes * 60_000;
    return end !== undefined && end > at ? [end] : [];
  });
  return ends.length === 0 ? undefined : Math.max(...ends);
}

const cron = ({ schedule, timeZone = 'Etc/UTC' }: Window): Cron =>
  new Cron(schedule, { timezone: timeZone, paused: true });
