import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  fencePatch,
  type Progress,
  parseProgress,
  unfencePatch,
  type WorkerConfig,
} from '../../src/migration/index.ts';
import { type ClusterClient, isQdrantError } from '../../src/qdrant/index.ts';

export type End = { readonly client: ClusterClient; readonly peers: WorkerConfig['source']['peers'] };
export type Way = 'ShardSnapshot' | 'Scroll' | 'plain loop';

export type Taken = {
  readonly way: Way;
  /** Seconds from the start until every point was on the target. */
  readonly copied: number;
  /** Until both sides were compared in full and the fence may be set; undefined for what compares nothing. */
  readonly ready: number | undefined;
  /** Until both sides were proved equal under the fence. */
  readonly verified: number | undefined;
  readonly freeze: number | undefined;
  /** Peak memory of the worker, in MiB. */
  readonly memory: number;
  readonly points: number;
};

export type Measuring = {
  readonly from: End;
  readonly to: End;
  readonly directory: string;
  readonly points: number;
  readonly shape: object;
  readonly signal: AbortSignal;
};

const SOURCE = 'docs--g1';
const MARK = { uid: 'u', namespace: 'n', name: 'docs', generation: 1 };
const WORKER = join(import.meta.dirname, 'worker.ts');
const POLL = 10;
const SETTLE = 1000;

/** Moves the collection once, in a process of its own, and drops what was made. */
export async function measure({ from, to, directory, shape, signal, points }: Measuring, way: Way): Promise<Taken> {
  const collection = `docs--${way.toLowerCase().replace(' ', '-')}`;
  await to.client.createCollection(collection, {
    ...shape,
    metadata: { 'qdrant-librarian': { ...MARK, generation: 2 } },
  } as never);
  const config: WorkerConfig = {
    version: 1,
    change: 'u/2',
    alias: 'docs',
    progress: { namespace: 'n', name: 'p' },
    source: { collection: SOURCE, peers: from.peers, apiKey: false, ca: false },
    target: { collection, peers: to.peers, apiKey: false, ca: false },
    projection: { vectors: {}, keepShardKeys: false },
    ...(way === 'plain loop' ? {} : { engine: { wish: way } }),
    maxFreezeSeconds: 55,
    leaseSeconds: 20,
    lanes: 4,
    pageSize: 512,
  };
  const [configFile, progressFile] = [
    join(directory, `${collection}.json`),
    join(directory, `${collection}-progress.json`),
  ];
  writeFileSync(configFile, JSON.stringify(config));
  const mode = way === 'plain loop' ? 'plain' : 'copy';
  const child = spawn(process.execPath, [WORKER, configFile, progressFile, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(child, 'exit');
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  const until = async (holds: (progress: Progress) => boolean): Promise<Progress> => {
    for (;;) {
      signal.throwIfAborted();
      if (child.exitCode !== null) throw new Error(`the worker ended with ${child.exitCode}`);
      const progress = existsSync(progressFile) ? parseProgress(readFileSync(progressFile, 'utf8')) : undefined;
      if (progress !== undefined && holds(progress)) return progress;
      await sleep(POLL, undefined, { signal });
    }
  };
  try {
    if (mode === 'plain') {
      await exited;
      return {
        way,
        copied: seconds(),
        ready: undefined,
        verified: undefined,
        freeze: undefined,
        memory: memory(said),
        points: await to.client.count(collection, { exact: true }),
      };
    }
    const first = await until(({ phase }) => phase !== 'Copying');
    const copied = seconds();
    if (first.base?.engine !== way) throw new Error(`${way} was not used: ${first.base?.reason ?? 'no reason'}`);
    await until(({ passes }) => passes > 0);
    const ready = seconds();
    const fence = { nonce: way, at: Date.now(), before: { enabled: false, writeConsistencyFactor: 1 } };
    await from.client.updateCollection(SOURCE, fencePatch(MARK, fence));
    const { verified, gaveUp } = await until((progress) => (progress.verified ?? progress.gaveUp) !== undefined);
    const done = verified === undefined ? undefined : seconds();
    await from.client.updateCollection(SOURCE, unfencePatch({ ...MARK, fence }));
    // On a busy machine the freeze may be longer than a fence can hold: then a move tries again later.
    const moved = verified?.targetCount ?? (gaveUp?.reason === 'FreezeTooLong' ? points : 0);
    child.kill('SIGTERM');
    await exited;
    return {
      way,
      copied,
      ready,
      verified: done,
      freeze: verified === undefined ? undefined : verified.freezeMilliseconds / 1000,
      memory: memory(said),
      points: moved,
    };
  } finally {
    child.kill('SIGKILL');
    await drop(to.client, collection);
    await sleep(SETTLE);
  }
}

const memory = (said: string): number => Number(said.trim()) / 1024;

async function drop(client: ClusterClient, collection: string): Promise<void> {
  try {
    await client.deleteCollection(collection);
  } catch (error) {
    if (!isQdrantError(error)) throw error;
  }
}
