import type { Json } from '../../../../sandbox/kube/json.ts';
import { strip } from '../../kube/stories/known.ts';
import type { Line } from './story.ts';

/** A difference of the embedded engine that stays; `why` is a sentence of docs/embedded-differences.md. */
type Known = {
  readonly story: string;
  readonly step: RegExp;
  readonly fields: readonly string[];
  readonly why: string;
};

const TEXTS = 'Texts of parsers written in Rust are not repeated';
const ERROR = ['body.status.error'];

export const KNOWN: readonly Known[] = [
  { story: 'the service', step: /^PUT \/collections\/a/, fields: ERROR, why: TEXTS },
  { story: 'collections', step: /^PATCH \/collections\/a/, fields: ERROR, why: TEXTS },
  { story: 'points', step: /\/points(\/scroll|\?wait=true)$/, fields: ERROR, why: TEXTS },
  {
    story: 'the service',
    step: /telemetry\?details_level/,
    fields: ['body.app', 'body.cluster', 'body.hardware', 'body.search_pool'],
    why: 'Telemetry tells what the product reads',
  },
  {
    story: 'the service',
    step: /peer\/x$/,
    fields: ['code', 'body'],
    why: 'An id of a peer that is no number',
  },
  {
    story: 'snapshots',
    step: /^GET .*none\.snapshot$/,
    fields: ['body'],
    why: 'A snapshot of a shard that is not there',
  },
];

export function withoutKnown(story: string, line: Line): Json {
  const known = KNOWN.filter((one) => one.story === story && one.step.test(line.step));
  return strip({ ...line }, '', new Set(known.flatMap(({ fields }) => fields)));
}
