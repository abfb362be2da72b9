import { hash } from 'node:crypto';
import type { PointId } from '../../qdrant/index.ts';
import type { VectorizeConfig } from '../config.ts';
import { type Counts, type DocumentFailure, type Quality, REPORT_JSON_KEY, REPORT_MARKDOWN_KEY } from '../progress.ts';
import { DEFECTS, type Findings } from '../quality/findings.ts';
import { evaluateGates } from '../quality/gates.ts';
import type { GoldenQuery } from '../quality/golden.ts';
import { type Asking, askGolden, selfRecall } from '../quality/recall.ts';
import { reportTexts } from '../quality/report.ts';

export type QualityInput = {
  readonly config: VectorizeConfig;
  readonly golden: readonly GoldenQuery[];
  readonly counts: Counts;
  readonly failures: readonly DocumentFailure[];
  readonly duplicates: number;
  /** Where points were looked at one by one. */
  readonly findings: Findings | undefined;
  readonly sample: readonly PointId[];
  /** Whether what was found wrong is right by now. */
  readonly mended: boolean;
  /** Whether the run has written or deleted anything. */
  readonly changed: boolean;
  readonly before: Quality | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly asking: Asking;
};

export type QualityVerdict = {
  readonly quality: Quality;
  /** Why the gates are closed; undefined when they are open. */
  readonly closed: string | undefined;
  /** By keys of the progress ConfigMap; none where the quality from before still holds. */
  readonly texts: Readonly<Record<string, string>>;
};

/** @returns undefined where no gate is asked and no point was looked at */
export async function checkQuality(input: QualityInput): Promise<QualityVerdict | undefined> {
  const { config, golden, findings, changed, before } = input;
  const { gates } = config;
  const asked = Object.keys(gates).some((name) => name.startsWith('m')) || golden.length > 0;
  if (!asked && findings === undefined) return undefined;
  const questions = hash('sha256', JSON.stringify([gates, golden, config.embedder])).slice(0, 16);
  if (findings === undefined && !changed && before?.asked === questions && input.counts.failed === 0) {
    return { quality: before, closed: closedBy(before), texts: {} };
  }
  return await measured(input, questions);
}

async function measured(input: QualityInput, asked: string): Promise<QualityVerdict> {
  const { config, golden, counts, findings, asking, duplicates, mended } = input;
  const { gates, mode } = config;
  const recalled =
    gates.minSelfRecallPercent !== undefined || findings !== undefined
      ? await selfRecall(input.sample, asking)
      : undefined;
  const answers = await askGolden(golden, asking);
  const of = (defect: (typeof DEFECTS)[number]): number => findings?.of(defect) ?? 0;
  const missing = of('missing') + of('outdated') + of('altered') + of('badVector');
  const quality: Quality = {
    asked,
    checkedAt: input.now,
    gates: evaluateGates(gates, {
      documents: counts.documents,
      failed: counts.failed,
      chunks: counts.chunks,
      duplicates,
      selfRecall: recalled,
      golden:
        golden.length === 0 ? undefined : { asked: answers.length, found: answers.filter((one) => one.found).length },
      points:
        findings === undefined
          ? undefined
          : {
              wrong: mended ? 0 : of('missing') + of('outdated') + of('altered') + of('orphan'),
              badVectors: mended ? 0 : of('badVector'),
            },
    }),
    orphans: mended ? 0 : of('orphan'),
    missing: mended ? 0 : missing,
    duplicates,
  };
  const { json, markdown } = reportTexts({
    version: 1,
    job: config.job,
    run: config.run,
    mode,
    library: config.target.collection,
    checkedAt: new Date(input.now).toISOString(),
    counts,
    gates: quality.gates,
    duplicates,
    defects: Object.fromEntries(DEFECTS.flatMap((defect) => (of(defect) === 0 ? [] : [[defect, of(defect)]]))),
    mended,
    findings: findings?.named ?? [],
    notFound: recalled?.notFound ?? [],
    golden: answers,
    failures: input.failures,
  });
  return { quality, closed: closedBy(quality), texts: { [REPORT_JSON_KEY]: json, [REPORT_MARKDOWN_KEY]: markdown } };
}

function closedBy({ gates }: Quality): string | undefined {
  const failed = gates.filter(({ passed }) => !passed);
  if (failed.length === 0) return undefined;
  return failed.map(({ name, message }) => `${name}: ${message}`).join('; ');
}
