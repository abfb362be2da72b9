import { isObject, type Json } from '../../../../sandbox/kube/json.ts';
import type { Line } from './story.ts';

/** A difference of the embedded server that stays. */
type Known = {
  readonly story: string;
  readonly step: RegExp;
  /** Fields of the line that are not compared. */
  readonly fields: readonly string[];
  /** A sentence of docs/embedded-differences.md. */
  readonly why: string;
};

const MESSAGE = ['body.message'];
const TEXTS = [...MESSAGE, 'body.details.causes'];

/** What the embedded server says otherwise than a real one, with its reason. */
export const KNOWN: readonly Known[] = [
  {
    story: 'refusals',
    step: /no object|wrong label|wrong token|a token and a version/,
    fields: MESSAGE,
    why: 'Texts of parsers written in Go are not repeated',
  },
  {
    story: 'access',
    step: /^POST (may I|token)/,
    fields: ['body.metadata.managedFields'],
    why: 'Answers that are never stored carry no managedFields',
  },
  {
    story: 'pods',
    step: /^PATCH spec/,
    fields: TEXTS,
    why: 'The refusal of a change to a pod does not show the Go struct before and after',
  },
  {
    story: 'rules in CEL',
    step: /durations|urls/,
    fields: ['code', 'body'],
    why: 'Fields of format duration and the parts of a URL are missing',
  },
  {
    story: 'rules in CEL',
    step: /^(POST|PATCH) (missing|index) broken/,
    fields: TEXTS,
    why: 'A rule that fails to run is refused in other words',
  },
  {
    story: 'refused definitions',
    step: /pattern that is none|not CEL|version stored|versions stored|version twice/,
    fields: TEXTS,
    why: 'Texts of parsers written in Go are not repeated',
  },
  {
    story: 'refused definitions',
    step: /another type$|not there|no condition|too costly/,
    fields: ['code', 'body'],
    why: 'Types in CEL rules are not checked and their cost is not estimated',
  },
];

/** A recorded line without what is known to differ. */
export function withoutKnown(story: string, line: Line): Json {
  const known = KNOWN.filter((one) => one.story === story && one.step.test(line.step));
  return strip({ ...line, warnings: [...(line.warnings ?? [])] }, '', new Set(known.flatMap(({ fields }) => fields)));
}

/** A value without the fields at some paths, e.g. `body.message`. */
export function strip(value: Json, path: string, fields: ReadonlySet<string>): Json {
  if (!isObject(value)) return value;
  const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const kept = Object.entries(value).filter(([name]) => !fields.has(below(name)));
  return Object.fromEntries(kept.map(([name, child]) => [name, strip(child ?? null, below(name), fields)]));
}
