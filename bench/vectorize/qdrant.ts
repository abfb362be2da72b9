import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ENGINE = join(import.meta.dirname, '../../sandbox/qdrant/main.ts');
const START_MILLISECONDS = 30_000;

export type RunningQdrant = { readonly url: string; readonly stop: () => Promise<void> };

/** The engine in a process of its own, or the real one that `QDRANT_BIN` names. */
export async function startQdrant(directory: string): Promise<RunningQdrant> {
  const [http, grpc] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  const env = {
    ...process.env,
    QDRANT__SERVICE__HOST: '127.0.0.1',
    QDRANT__SERVICE__HTTP_PORT: String(http),
    QDRANT__SERVICE__GRPC_PORT: String(grpc),
    QDRANT__TELEMETRY_DISABLED: 'true',
    QDRANT__LOG_LEVEL: 'ERROR',
  };
  const { QDRANT_BIN: binary } = process.env;
  const [file, args] = binary === undefined ? [process.execPath, [ENGINE]] : [binary, []];
  const child = spawn(file, args, { cwd: directory, env, stdio: 'ignore' });
  await ready(url, child);
  return {
    url,
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_MILLISECONDS;
  while (performance.now() < deadline && child.exitCode === null) {
    const answers = await fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answers) return;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new Error(`Qdrant did not start at ${url}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
