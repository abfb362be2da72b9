import { figure, table } from '../table.ts';
import type { Measured } from './measure.ts';

type Row = {
  readonly label: string;
  /** `total`: grows with the number of objects; `each`: should stay as it is. */
  readonly of: 'total' | 'each';
  readonly value: (measured: Measured) => number;
};

const MEBIBYTE = 1024 * 1024;

const ROWS: readonly (string | Row)[] = [
  'creation: from the start of the process until all is Ready',
  { label: 'seconds', of: 'total', value: ({ creation }) => creation.seconds },
  { label: 'passes per second', of: 'each', value: ({ creation }) => creation.passes / creation.seconds },
  { label: 'passes per object', of: 'each', value: ({ creation, objects }) => creation.passes / objects },
  { label: 'API requests per object', of: 'each', value: (of) => of.creation.requests.total / of.objects },
  { label: 'API writes per object', of: 'each', value: (of) => of.creation.requests.writes / of.objects },
  { label: 'Qdrant requests per object', of: 'each', value: (of) => of.creation.qdrantRequests / of.objects },
  { label: 'failed passes', of: 'total', value: ({ creation }) => creation.errors },
  { label: 'CPU ms per object', of: 'each', value: (of) => (of.creation.cpuSeconds * 1000) / of.objects },
  { label: 'CPU, % of a core', of: 'each', value: ({ creation }) => (creation.cpuSeconds * 100) / creation.seconds },
  { label: 'event-loop delay p99 ms', of: 'each', value: ({ creation }) => creation.lagP99Milliseconds },
  { label: 'resident MiB, peak', of: 'total', value: ({ creation }) => creation.peakBytes / MEBIBYTE },
  'rest: two resyncs with nothing to do',
  { label: 'API requests per second', of: 'total', value: ({ rest }) => rest.requests.total / rest.seconds },
  { label: 'API writes (must be 0)', of: 'total', value: ({ rest }) => rest.requests.writes },
  { label: 'Qdrant requests per second', of: 'total', value: ({ rest }) => rest.qdrantRequests / rest.seconds },
  { label: 'passes per second', of: 'total', value: ({ rest }) => rest.passes / rest.seconds },
  { label: 'passes per object', of: 'each', value: ({ rest, objects }) => rest.passes / objects },
  { label: 'CPU ms per pass', of: 'each', value: ({ rest }) => (rest.cpuSeconds * 1000) / rest.passes },
  { label: 'CPU, % of a core', of: 'total', value: ({ rest }) => (rest.cpuSeconds * 100) / rest.seconds },
  { label: 'event-loop delay p99 ms', of: 'each', value: ({ rest }) => rest.lagP99Milliseconds },
  { label: 'resident MiB, peak', of: 'total', value: ({ rest }) => rest.peakBytes / MEBIBYTE },
  'restart: from the start of a second process until it has looked at all',
  { label: 'seconds', of: 'total', value: ({ restart }) => restart.seconds },
  { label: 'passes per second', of: 'each', value: ({ restart }) => restart.passes / restart.seconds },
  { label: 'passes per object', of: 'each', value: ({ restart, objects }) => restart.passes / objects },
  { label: 'CPU, % of a core', of: 'each', value: ({ restart }) => (restart.cpuSeconds * 100) / restart.seconds },
  { label: 'API requests', of: 'total', value: ({ restart }) => restart.requests.total },
  { label: 'API writes', of: 'total', value: ({ restart }) => restart.requests.writes },
];

/**
 * A line a measure, a column a size, and behind it the ratio to the smallest size: per object for what grows with the
 * objects, else of the value itself. 1 = linear, more = worse than linear where less is better.
 */
export function curve(all: readonly Measured[], resyncSeconds: number): string {
  const [smallest, ...larger] = all;
  if (smallest === undefined) return '';
  const head = [
    ['', ...all.map(({ clusters }) => `${clusters} clusters`), ...larger.map(({ clusters }) => `x${clusters}`)],
    [`resync ${resyncSeconds} s`, ...all.map(({ objects }) => `${objects} objects`), ...larger.map(() => 'ratio')],
  ];
  const rows = ROWS.map((row) => {
    if (typeof row === 'string') return [row];
    const scaled = (measured: Measured): number => row.value(measured) / (row.of === 'total' ? measured.objects : 1);
    return [
      `  ${row.label}`,
      ...all.map((measured) => figure(row.value(measured))),
      ...larger.map((measured) => (scaled(measured) / scaled(smallest)).toFixed(2).replace('NaN', '-')),
    ];
  });
  return table([...head, ...rows]);
}

const TOP = 8;

/** What the largest size asked for most, by kind. */
export function details(all: readonly Measured[]): string {
  const largest = all.at(-1);
  if (largest === undefined) return '';
  const { objects, clusters, creation, rest } = largest;
  const top = (counts: readonly (readonly [string, number])[]): string[][] =>
    counts.slice(0, TOP).map(([kind, count]) => [`  ${kind}`, figure(count), figure(count / objects)]);
  return table([
    [`with ${clusters} clusters`, 'count', 'per object'],
    ['API requests, creation'],
    ...top(creation.requests.kinds),
    ['passes, creation'],
    ...top(creation.passesOf),
    ['Qdrant requests, creation'],
    ...top(creation.qdrantRequestsOf),
    ['API requests, rest'],
    ...top(rest.requests.kinds),
    ['passes, rest'],
    ...top(rest.passesOf),
    ['Qdrant requests, rest'],
    ...top(rest.qdrantRequestsOf),
  ]);
}
