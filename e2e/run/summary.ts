import type { FileOutcome } from './outcome.ts';

export type GroundOutcome =
  | { readonly ground: string; readonly kind: 'not started'; readonly why: string; readonly seconds: number }
  | {
      readonly ground: string;
      readonly kind: 'played';
      readonly parts: string;
      readonly readySeconds: number;
      readonly seconds: number;
      readonly files: readonly FileOutcome[];
      /** Where failures were written down, if there were any. */
      readonly artifacts?: string;
    };

const time = (seconds: number): string => `${seconds.toFixed(1)} s`;

/** What a run says at its end of one ground. */
export function told(outcome: GroundOutcome): string {
  if (outcome.kind === 'not started') return `Ground ${outcome.ground} COULD NOT START: ${outcome.why}\n`;
  const { ground, parts, files, readySeconds, seconds, artifacts } = outcome;
  const width = Math.max(0, ...files.map(({ file }) => file.length));
  const lines = files.map(
    ({ file, seconds: taken, passed, failed, leftOut }) =>
      `  ${file.padEnd(width)} ${time(taken).padStart(8)}  ${counts(passed, failed.length, leftOut.length)}`,
  );
  return [
    `Ground ${ground}: ${parts}.`,
    ...lines,
    ...(nothingPlayed(files) ? ['FAILED: no scenario was played: nothing fits.'] : leftOutLines(files)),
    ...files.flatMap(({ file, failed }) => failed.map((title) => `FAILED: ${file}: ${title}`)),
    ...(artifacts === undefined ? [] : [`What a person needs to understand the failures: ${artifacts}`]),
    `${files.length} files of scenarios in ${time(seconds)}, ${time(readySeconds)} of it until the ground was prepared`,
    '',
  ].join('\n');
}

function counts(passed: number, failed: number, leftOut: number): string {
  const parts = [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} FAILED`] : []),
    ...(leftOut > 0 ? [`${leftOut} left out`] : []),
  ];
  return parts.join(', ');
}

function leftOutLines(files: readonly FileOutcome[]): string[] {
  const all = files.flatMap(({ file, leftOut }) => leftOut.map((one) => ({ file, ...one })));
  if (all.length === 0) return ['No scenario was left out for want of a part.'];
  const byReason = Map.groupBy(all, ({ why }) => why);
  return [...byReason].flatMap(([why, some]) => [
    `Left out: ${why}:`,
    ...some.map(({ file, title }) => `  ${file}: ${title}`),
  ]);
}

/** A filter that fits nothing, or a place without files, must not look like success. */
const nothingPlayed = (files: readonly FileOutcome[]): boolean =>
  files.every(({ passed, failed, leftOut }) => passed + failed.length + leftOut.length === 0);

/** 0: all passed; 1: something failed, or nothing was played; 3: nothing failed, but a ground could not start. */
export function exitCode(all: readonly GroundOutcome[]): number {
  const failed = all.some(
    (one) => one.kind === 'played' && (nothingPlayed(one.files) || one.files.some((file) => file.failed.length > 0)),
  );
  if (failed) return 1;
  return all.some(({ kind }) => kind === 'not started') ? 3 : 0;
}

/** The last words of a run on several grounds. */
export function total(all: readonly GroundOutcome[]): string {
  const each = all.map((one) => {
    const result = one.kind === 'not started' ? 'could not start' : exitCode([one]) === 0 ? 'passed' : 'FAILED';
    return `${one.ground} ${result} in ${time(one.seconds)}`;
  });
  return `All grounds: ${each.join('; ')}; together ${time(all.reduce((sum, { seconds }) => sum + seconds, 0))}\n`;
}
