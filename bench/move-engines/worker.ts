/**
 * One way from one Qdrant to another, in a process of its own: `node worker.ts CONFIG PROGRESS copy|plain`. Prints its
 * peak memory in KiB at the end.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseConfig } from '../../src/migration/config.ts';
import { connectSide, type Progress, type ProgressStore, parseProgress } from '../../src/migration/index.ts';
import { runCopyWorker } from '../../src/migration/worker.ts';
import { createLogger } from '../../src/telemetry/index.ts';

const [configFile = '', progressFile = '', mode = 'copy'] = process.argv.slice(2);
const stop = new AbortController();
process.on('SIGTERM', () => stop.abort(new Error('stopped')));
const log = createLogger('warn', { write: (line: string) => void process.stderr.write(line) });

let version = 0;
const store: ProgressStore<Progress> = {
  read: async () => {
    const text = existsSync(progressFile) ? readFileSync(progressFile, 'utf8') : undefined;
    return await Promise.resolve({ progress: parseProgress(text), version: String(version) });
  },
  write: async (progress) => {
    writeFileSync(`${progressFile}.part`, JSON.stringify(progress));
    renameSync(`${progressFile}.part`, progressFile);
    version += 1;
    return await Promise.resolve(String(version));
  },
};

/** What one would write by hand: a page read, the page written, to the end; nothing is checked. */
async function plain(): Promise<void> {
  const { source, target, pageSize } = parseConfig(readFileSync(configFile, 'utf8'));
  const [from, to] = [await connectSide(source, undefined, { log }), await connectSide(target, undefined, { log })];
  let offset: Awaited<ReturnType<typeof from.scroll>>['nextOffset'];
  do {
    const page = await from.scroll(source.collection, {
      limit: pageSize,
      withVectors: true,
      ...(offset === undefined ? {} : { offset }),
    });
    await to.upsert(target.collection, page.points);
    offset = page.nextOffset;
  } while (offset !== undefined);
  await Promise.all([from.close(), to.close()]);
}

let code = 0;
if (mode === 'plain') await plain();
else code = await runCopyWorker({ configFile, environment: {}, signal: stop.signal, log, store });
process.stdout.write(`${process.resourceUsage().maxRSS}\n`);
process.exit(mode === 'plain' || stop.signal.aborted ? 0 : code);
