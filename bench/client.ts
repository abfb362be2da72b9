import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Benchmark } from './benchmark.ts';

const run = promisify(execFile);
const SCRIPT = join(import.meta.dirname, 'qdrant-client.ts');

/** Seconds for each of the six rows. */
const SECONDS = { short: 1, full: 3 };

export const client: Benchmark = {
  name: 'client',
  measures: 'points a second through the Qdrant client, beside the same bytes over a bare HTTP/2 loop',
  embedded: 'Qdrant: a thread that answers from memory and keeps nothing',
  run: async ({ short, signal }) => {
    // In a process of its own: no other benchmark's heap or timers disturb it.
    const seconds = String(short ? SECONDS.short : SECONDS.full);
    const { stdout } = await run(process.execPath, [SCRIPT, seconds], { signal });
    return { text: stdout, broken: [] };
  },
};
