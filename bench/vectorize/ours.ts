/** One run of the vectorize worker in a process of its own. Prints its figures as JSON. */
import { randomUUID } from 'node:crypto';
import { silentLogger } from '../../src/telemetry/log.ts';
import { cutterThreads } from '../../src/vectorize/cutting-threads.ts';
import type { VectorizeProgress } from '../../src/vectorize/progress.ts';
import { runVectorizeWorker } from '../../src/vectorize/worker.ts';

const [configFile = ''] = process.argv.slice(2);
// Loading a tokenizer takes half a second once per process; Python's imports aren't counted either.
const cutter = await cutterThreads();
let progress: VectorizeProgress | undefined;
const before = process.cpuUsage();
const began = performance.now();
const code = await runVectorizeWorker({
  configFile,
  environment: { ...process.env, POD_NAME: randomUUID() },
  signal: new AbortController().signal,
  log: silentLogger,
  cutter,
  store: {
    read: async () => ({ progress: undefined, version: '' }),
    write: async (written) => {
      progress = written;
      return '';
    },
    kept: async () => undefined,
    keep: () => {},
  },
});
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(before);
process.stdout.write(
  JSON.stringify({
    code,
    result: progress?.result,
    counts: progress?.counts,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
);
