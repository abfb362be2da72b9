import type { Found } from './find.ts';
import { namesOf, termsOf } from './names.ts';
import { type Routing, RULES } from './rules.ts';
import type { WordCounts } from './words.ts';

/** What a discovery came to, as it stands in the ConfigMap under `report.json`. */
export type DiscoveryReport = {
  readonly version: 1;
  readonly outcome: 'Domains' | 'NoDomains';
  /** One sentence for people. */
  readonly message: string;
  readonly collection: string;
  /** Name of the vector that was looked at; empty: the unnamed one. */
  readonly vector: string;
  readonly points: number;
  readonly sampled: number;
  readonly seed: number;
  readonly notes: readonly string[];
  readonly domains: readonly ReportedDomain[];
  readonly rules: readonly {
    readonly rule: string;
    readonly held: boolean;
    readonly value: number | null;
    readonly goal: number;
  }[];
  readonly tried: Found['tried'];
  /** At place m - 1: with the m most promising domains asked. */
  readonly routing: Routing | null;
};

export type ReportedDomain = {
  readonly name: string;
  readonly sharePercent: number;
  /** Of the whole library, estimated from the sample. */
  readonly points: number;
  readonly terms: readonly { readonly word: string; readonly sharePercent: number }[];
};

export type Looked = {
  readonly collection: string;
  readonly vector: string;
  readonly points: number;
  readonly sampled: number;
  readonly seed: number;
  /** Words of the points' texts by domain; undefined where no point has text. */
  readonly words: WordCounts | undefined;
  readonly notes: readonly string[];
};

/** Pure. Parts that were found although a rule does not hold are shown as well: they say what the library is like. */
export function reportOf(found: Found, looked: Looked): DiscoveryReport {
  const { collection, vector, points, sampled, seed, words } = looked;
  const none = found.shares.map(() => []);
  const terms = words === undefined ? none : termsOf(words);
  const names = namesOf(terms);
  const domains = found.shares.map(
    (share, domain): ReportedDomain => ({
      name: names[domain] ?? `domain-${domain + 1}`,
      sharePercent: tenths(share * 100),
      points: Math.round(share * points),
      terms: (terms[domain] ?? []).map((term) => ({ word: term.word, sharePercent: tenths(term.share * 100) })),
    }),
  );
  const numbered = domains.some(({ terms: its }) => its.length === 0) && domains.length > 1;
  return {
    version: 1,
    outcome: found.hasDomains ? 'Domains' : 'NoDomains',
    message: messageOf(found, domains),
    collection,
    vector,
    points,
    sampled,
    seed,
    notes: [...looked.notes, ...(numbered ? [NUMBERED] : [])],
    domains,
    rules: found.rulings.map((ruling) => ({
      ...ruling,
      value: ruling.value === null ? null : thousandths(ruling.value),
    })),
    tried: found.tried.map((one) => ({
      ...one,
      silhouette: thousandths(one.silhouette),
      stability: thousandths(one.stability),
    })),
    routing:
      found.routing === undefined
        ? null
        : { recall: found.routing.recall.map(thousandths), asked: found.routing.asked.map(thousandths) },
  };
}

const NUMBERED = 'domains without telling words in payload field text bear numbers';

const tenths = (value: number): number => Math.round(value * 10) / 10;
const thousandths = (value: number): number => Math.round(value * 1000) / 1000;

function messageOf({ hasDomains, rulings }: Found, domains: readonly ReportedDomain[]): string {
  if (hasDomains) {
    const list = domains.map(({ name, sharePercent }) => `${name} ${sharePercent} %`).join(', ');
    return `${domains.length} domains: ${list}`;
  }
  const refusing = rulings.filter(({ held, value }) => !held && value !== null);
  const why = refusing.map(({ rule, value, goal }) => `${rule} (${thousandths(value ?? 0)}, goal ${goal})`).join(', ');
  return `no domains here: ${why}`;
}

/** The same for people, as it stands under `report.md`. */
export function markdownOf(report: DiscoveryReport): string {
  const { collection, vector, points, sampled, seed, rules, domains, tried, routing, notes } = report;
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const head = (cells: readonly string[]): string[] => [row(cells), row(cells.map(() => '---'))];
  return [
    `# Domains of ${collection}`,
    '',
    report.message,
    '',
    `${sampled} of ${points} points, vector ${vector === '' ? '(unnamed)' : vector}, seed ${seed}.`,
    ...notes.map((note) => `- ${note}`),
    '',
    ...head(['rule', 'holds', 'measured', 'goal', 'meaning']),
    ...rules.map(({ rule, held, value, goal }) => row([rule, held ? 'yes' : 'no', value ?? '-', goal, meaning(rule)])),
    '',
    ...head([report.outcome === 'Domains' ? 'domain' : 'part', 'share, %', 'points', 'words']),
    ...domains.map(({ name, sharePercent, points: count, terms }) =>
      row([name, sharePercent, count, terms.map(({ word, sharePercent: share }) => `${word} (${share} %)`).join(', ')]),
    ),
    ...(routing === null
      ? []
      : [
          '',
          ...head(['domains asked', 'true neighbours found', 'points asked']),
          ...routing.recall.map((share, place) => row([place + 1, share, routing.asked[place] ?? '-'])),
        ]),
    '',
    ...head(['cells', 'domains', 'silhouette', 'stability']),
    ...tried.map((one) => row([one.cells, one.domains, one.silhouette, one.stability])),
    '',
  ].join('\n');
}

const meaning = (rule: string): string => Object.entries(RULES).find(([name]) => name === rule)?.[1] ?? '';
