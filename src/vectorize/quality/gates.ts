import type { GatesConfig } from '../config.ts';
import type { GateName, Quality } from '../progress.ts';

/** What was counted and measured; undefined where it wasn't. */
export type Figures = {
  readonly documents: number;
  readonly failed: number;
  readonly chunks: number;
  /** Chunks whose text another one has. */
  readonly duplicates: number;
  readonly selfRecall?: { readonly sampled: number; readonly found: number } | undefined;
  readonly golden?: { readonly asked: number; readonly found: number } | undefined;
  /** Points looked at one by one, and what is wrong with them now. */
  readonly points?: { readonly wrong: number; readonly badVectors: number } | undefined;
};

type Gate = Quality['gates'][number];

/** Each gate that is asked, with the figure and the rule. */
export function evaluateGates(gates: GatesConfig, figures: Figures): Gate[] {
  const { minSuccessPercent, maxDuplicatePercent, minSelfRecallPercent } = gates;
  const { documents, failed, chunks, duplicates, selfRecall, golden, points } = figures;
  return [
    minSuccessPercent !== undefined &&
      atLeast('success', minSuccessPercent, { part: documents - failed, of: documents, what: 'documents' }),
    maxDuplicatePercent !== undefined &&
      gate('duplicates', duplicates * 100 <= maxDuplicatePercent * chunks, {
        figure: `${duplicates} of ${chunks} chunks repeat another`,
        rule: `at most ${maxDuplicatePercent} % may`,
      }),
    minSelfRecallPercent !== undefined &&
      selfRecall !== undefined &&
      atLeast('selfRecall', minSelfRecallPercent, {
        part: selfRecall.found,
        of: selfRecall.sampled,
        what: 'sampled chunks found by their own text',
      }),
    golden !== undefined &&
      atLeast('goldenQueries', 100, { part: golden.found, of: golden.asked, what: 'golden queries answered' }),
    points !== undefined &&
      gate('consistency', points.wrong === 0, {
        figure: `${points.wrong} points are missing, outdated, altered or orphaned`,
        rule: 'none may be',
      }),
    points !== undefined &&
      gate('dimensions', points.badVectors === 0, {
        figure: `${points.badVectors} points have no proper vector`,
        rule: 'all must',
      }),
  ].filter((one) => one !== false);
}

type Share = { readonly part: number; readonly of: number; readonly what: string };

const atLeast = (name: GateName, percent: number, { part, of, what }: Share): Gate =>
  gate(name, part * 100 >= percent * of, { figure: `${part} of ${of} ${what}`, rule: `at least ${percent} % must be` });

const gate = (name: GateName, passed: boolean, { figure, rule }: { figure: string; rule: string }): Gate => ({
  name,
  passed,
  message: `${figure}; ${rule}`,
});
