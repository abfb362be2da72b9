import { basename } from 'node:path';
import type { TestsStream } from 'node:test';

/** What became of the scenarios of one file. */
export type FileOutcome = {
  readonly file: string;
  seconds: number;
  passed: number;
  readonly failed: string[];
  /** Title and why, as the scenario said it. */
  readonly leftOut: { readonly title: string; readonly why: string }[];
};

/** The file that was started; `file` is the one that called `test`, which is the same for all scenarios. */
const entryOf = (event: { readonly file?: string | undefined; readonly entryFile?: string }): string | undefined =>
  event.entryFile ?? event.file;

type Told = Pick<TestsStream, 'on'>;

/** Follows a run of the test runner and remembers what the summary tells. */
export function outcomes(stream: Told): ReadonlyMap<string, FileOutcome> {
  const files = new Map<string, FileOutcome>();
  const of = (path: string): FileOutcome => {
    const [file = ''] = basename(path).split('.');
    const known = files.get(file) ?? { file, seconds: 0, passed: 0, failed: [], leftOut: [] };
    files.set(file, known);
    return known;
  };
  stream.on('test:pass', (event) => {
    const { name, skip } = event;
    const file = entryOf(event);
    if (file === undefined || name === file) return;
    if (skip === undefined || skip === false) of(file).passed += 1;
    else of(file).leftOut.push({ title: name, why: String(skip) });
  });
  stream.on('test:fail', (event) => {
    const file = entryOf(event);
    if (file !== undefined) of(file).failed.push(event.name === file ? 'the file as a whole' : event.name);
  });
  // A file ends as a test of its own, which bears its name.
  stream.on('test:complete', ({ name, file, nesting, details }) => {
    if (file !== undefined && nesting === 0 && name === file) of(file).seconds = details.duration_ms / 1000;
  });
  return files;
}
