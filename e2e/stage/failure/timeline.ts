import type { KubeEvent, Pod } from '../../../src/kube/index.ts';
import type { Entry } from '../diary.ts';

const LEVELS = new Set(['warn', 'error', 'fatal']);

export function eventEntries(events: readonly KubeEvent[]): Entry[] {
  return events.flatMap((event) => {
    const { regarding, reason, note, series, reportingController, eventTime } = event;
    // Those of the older kind, e.g. of the kubelet, have no time of their own in this form.
    const first = (eventTime as string | null) ?? event.metadata.creationTimestamp;
    const text = `${regarding?.kind} ${regarding?.name} ${reason}: ${note} (${reportingController})`;
    const times = series === undefined ? '' : ` x${series.count}`;
    return [
      ...entry(first, 'event', text),
      ...entry(series?.lastObservedTime, 'event', `${text}${times}, the last of them`),
    ];
  });
}

/** When containers began and ended, and how. */
export function containerEntries(pods: readonly Pod[]): Entry[] {
  return pods.flatMap(({ metadata, status }) =>
    (status?.containerStatuses ?? []).flatMap(({ name, state = {}, lastState = {} }) => {
      const where = `${metadata.namespace}/${metadata.name} ${name}`;
      const ended = [state.terminated, lastState.terminated].filter((one) => one !== undefined);
      return [
        ...entry(state.running?.startedAt, 'container', `${where} started`),
        ...ended.flatMap(({ startedAt, finishedAt, exitCode, signal, reason }) => [
          ...entry(startedAt, 'container', `${where} started`),
          ...entry(
            finishedAt,
            'container',
            `${where} ended with ${signal === undefined || signal === 0 ? exitCode : `signal ${signal}`} ${reason ?? ''}`,
          ),
        ]),
      ];
    }),
  );
}

/** What a log in JSON lines says from warnings upwards. */
export function logEntries(where: string, log: string): Entry[] {
  return log.split('\n').flatMap((line) => {
    const { level, time, msg, ...fields } = parsed(line);
    if (typeof level !== 'string' || !LEVELS.has(level) || typeof time !== 'string') return [];
    return entry(time, 'log', `${where} ${level}: ${String(msg)} ${JSON.stringify(fields)}`);
  });
}

function parsed(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function entry(time: string | undefined, kind: Entry['kind'], text: string): Entry[] {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? [] : [{ at, kind, text }];
}

/** Everything in the order in which it happened, one line each: time, seconds since `began`, kind, text. */
export function timeline(entries: readonly Entry[], began: number): string {
  const lines = entries
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, kind, text }) => {
      const clock = new Date(at).toISOString().slice(11, 23);
      const since = ((at - began) / 1000).toFixed(3).padStart(9);
      return `${clock} ${since}  ${kind.padEnd(9)} ${text.replaceAll(/\s*\n\s*/g, ' | ')}`;
    });
  return `${[...new Set(lines)].join('\n')}\n`;
}
