import type { VectorizeConfig } from '../config.ts';
import type { Counts, DocumentFailure, Quality } from '../progress.ts';
import type { Defect, Finding } from './findings.ts';

/** The details behind a quality: what is in `report.json`. */
export type Report = {
  readonly version: 1;
  readonly job: VectorizeConfig['job'];
  readonly run: string;
  readonly mode: VectorizeConfig['mode'];
  readonly library: string;
  readonly checkedAt: string;
  readonly counts: Counts;
  readonly gates: Quality['gates'];
  readonly duplicates: number;
  /** How many of each. `mended`: by this run. */
  readonly defects: Readonly<Partial<Record<Defect, number>>>;
  readonly mended: boolean;
  readonly findings: readonly Finding[];
  /** Sampled chunks that their own text did not find. */
  readonly notFound: readonly { readonly document: string; readonly id: string }[];
  readonly golden: readonly { readonly query: string; readonly document: string; readonly found: boolean }[];
  readonly failures: readonly DocumentFailure[];
};

const MOST_CHARACTERS = 200_000;

/** Both at most 200 000 characters: what is named is left out from the end where they would be longer. */
export function reportTexts(report: Report): { readonly json: string; readonly markdown: string } {
  let shown = report;
  for (;;) {
    const json = `${JSON.stringify(shown, null, 2)}\n`;
    const markdown = markdownOf(shown);
    const most = Math.max(shown.findings.length, shown.golden.length, shown.failures.length, shown.notFound.length);
    if (Math.max(json.length, markdown.length) <= MOST_CHARACTERS || most === 0) return { json, markdown };
    const half = <T>(items: readonly T[]): readonly T[] => items.slice(0, Math.floor(most / 2));
    const { findings, golden, failures, notFound } = shown;
    shown = {
      ...shown,
      findings: half(findings),
      golden: half(golden),
      failures: half(failures),
      notFound: half(notFound),
    };
  }
}

function markdownOf(report: Report): string {
  const { job, counts, gates, defects, findings, golden, failures, notFound } = report;
  return [
    `# Quality of ${job.namespace}/${job.name}`,
    `Library ${report.library}, mode ${report.mode}, run ${report.run}, checked at ${report.checkedAt}.`,
    table(
      ['documents', 'chunks', 'embedded', 'reused', 'deleted', 'failed', 'tokens', 'duplicates'],
      [
        [
          ...[counts.documents, counts.chunks, counts.embedded, counts.reused, counts.deleted, counts.failed],
          counts.tokens,
          report.duplicates,
        ],
      ],
    ),
    section(
      'Gates',
      ['gate', 'holds', 'why'],
      gates.map((gate) => [gate.name, gate.passed ? 'yes' : '**no**', gate.message]),
    ),
    section(`Defects${report.mended ? ' (mended)' : ''}`, ['defect', 'points'], Object.entries(defects)),
    section(
      'Where',
      ['defect', 'document', 'point'],
      findings.map(({ defect, document, id }) => [defect, document, id]),
    ),
    section(
      'Not found by their own text',
      ['document', 'point'],
      notFound.map(({ document, id }) => [document, id]),
    ),
    section(
      'Golden queries',
      ['query', 'must find', 'found'],
      golden.map(({ query, document, found }) => [query, document, found ? 'yes' : '**no**']),
    ),
    section(
      'Documents that failed',
      ['document', 'reason', 'message'],
      failures.map(({ path, reason, message }) => [path, reason, message]),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

type Cell = string | number;

const section = (title: string, head: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  rows.length === 0 ? '' : `## ${title}\n\n${table(head, rows)}`;

const table = (head: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

/** Names of documents and queries are anybody's: none may end a cell, a row or begin markup. */
const cell = (value: Cell): string =>
  String(value)
    .replace(/\s+/g, ' ')
    .replace(/[\\|`<>[\]]/g, String.raw`\$&`);
