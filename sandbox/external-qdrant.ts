import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export type ExternalQdrantOptions = {
  readonly directory: string;
  /** A loopback address of its own. */
  readonly address: string;
  readonly apiKey: string;
  /** More of its settings, as variables. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

export type ExternalQdrant = {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
};

const START_MILLISECONDS = 15_000;
const ENGINE = join(import.meta.dirname, 'qdrant/main.ts');

/** A Qdrant that runs outside Kubernetes, as a user's own server would: the real one when `QDRANT_BIN` is set. */
export async function startExternalQdrant(options: ExternalQdrantOptions): Promise<ExternalQdrant> {
  const { directory, address, apiKey, environment, signal } = options;
  await mkdir(directory, { recursive: true });
  const binary = process.env['QDRANT_BIN'];
  const [command, args] = binary === undefined ? [process.execPath, ['--max-semi-space-size=1', ENGINE]] : [binary, []];
  const child = spawn(command, [...args, '--uri', `http://${address}:6335`], {
    cwd: directory,
    // A pipe whose end closes with this process tells the engine that nobody is left to serve.
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      QDRANT__SERVICE__HOST: address,
      QDRANT__SERVICE__API_KEY: apiKey,
      QDRANT__CLUSTER__ENABLED: 'true',
      QDRANT__STORAGE__STORAGE_PATH: join(directory, 'storage'),
      QDRANT__STORAGE__SNAPSHOTS_PATH: join(directory, 'snapshots'),
      QDRANT__TELEMETRY_DISABLED: 'true',
      ...environment,
    },
  });
  const url = `http://${address}:6333`;
  await untilAnswers(url, child, signal);
  return { url, pid: child.pid ?? 0, stop: () => end(child) };
}

async function untilAnswers(url: string, child: ChildProcess, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + START_MILLISECONDS;
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    if (child.exitCode !== null) throw new Error(`the external Qdrant ended with exit code ${child.exitCode}`);
    try {
      if ((await fetch(`${url}/readyz`)).ok) return;
    } catch {
      // Not listening yet.
    }
    await sleep(50, undefined, { signal });
  }
  child.kill('SIGKILL');
  throw new Error(`the external Qdrant at ${url} did not answer within ${START_MILLISECONDS / 1000} s`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const killing = setTimeout(() => child.kill('SIGKILL'), 2000);
  await once(child, 'exit');
  clearTimeout(killing);
}
