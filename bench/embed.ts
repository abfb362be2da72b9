import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Benchmark } from './benchmark.ts';

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, 'embed-pipeline.ts');

/** Seconds for each of the twenty measurements. */
const SECONDS = { short: 1, full: 4 };

export const embed: Benchmark = {
  name: 'embed',
  measures: "chunks a second through the embedding pipeline, beside the endpoint's own maximum in the same run",
  embedded: 'embedder: a thread that answers from memory, at once or as slowly as a model',
  run: async ({ short, signal }) => {
    // In a process of its own: no other benchmark's heap or timers disturb it.
    const { stdout } = await run(process.execPath, [SCRIPT, String(short ? SECONDS.short : SECONDS.full)], { signal });
    return { text: stdout, broken: [] };
  },
};
