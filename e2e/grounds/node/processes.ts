import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Layout, layoutOf } from './layout.ts';
import { fullPath } from './machine.ts';
import type { Programs } from './programs.ts';

/** A run of a node, as any process on the machine can take part in it. */
export type Handle = {
  readonly directory: string;
  /** Takes the pid of a process that shall end with the node. */
  readonly cgroupFile: string;
  /** The process that holds the network and the mounts of the node. */
  readonly holder: number;
  readonly programs: Programs;
};

type Spawned = { readonly pid: number; readonly arguments: readonly string[] };

/** Joins the cgroup first: from then on the process can't outlive the node. */
const JOIN = 'echo $$ >"$0"; exec "$@"';

/** Arguments for `/bin/sh` that run a program as part of the node; before there is a holder, in no namespace of it. */
export function within({ cgroupFile, holder }: Handle, program: readonly string[]): string[] {
  const enter = holder === 0 ? [] : ['nsenter', '--target', String(holder), '--net', '--mount', '--'];
  return ['-c', JOIN, cgroupFile, ...enter, ...program];
}

/** Starts a program of the node in the background; what it says is in `logs/<name>.log`. */
export async function startProcess(handle: Handle, name: string, program: readonly string[]): Promise<number> {
  const layout = layoutOf(handle.directory);
  const log = openSync(join(layout.logs, `${name}.log`), 'a');
  try {
    const child = spawn('/bin/sh', within(handle, program), {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
      env: { PATH: fullPath(), HOME: handle.directory },
    });
    child.unref();
    const spawned: Spawned = { pid: child.pid ?? 0, arguments: program };
    await writeFile(fileOf(layout, name), JSON.stringify(spawned));
    return spawned.pid;
  } finally {
    closeSync(log);
  }
}

const BY_AND_BY: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGKILL'];
const AT_ONCE: readonly NodeJS.Signals[] = ['SIGKILL'];

/** Five seconds after the first of the signals the next one. */
async function stopProcess(handle: Handle, name: string, signals: readonly NodeJS.Signals[]): Promise<void> {
  const { pid } = await spawnedOf(handle, name);
  for (const signal of signals) {
    if (await isRunning(handle, pid)) process.kill(pid, signal);
    for (let waited = 0; waited < 5000 && (await isRunning(handle, pid)); waited += 20) await sleep(20);
  }
}

type Restart = {
  readonly awayMilliseconds?: number;
  /** As a crash does: it is not asked to end. */
  readonly crash?: boolean;
};

/** Stops it, waits, and starts it with the arguments it had. */
export async function restartProcess(handle: Handle, name: string, options: Restart = {}): Promise<void> {
  const { awayMilliseconds = 0, crash = false } = options;
  const { arguments: program } = await spawnedOf(handle, name);
  await stopProcess(handle, name, crash ? AT_ONCE : BY_AND_BY);
  await sleep(awayMilliseconds);
  await startProcess(handle, name, program);
}

/** @throws Error with the end of its log when a process of the node has ended */
export async function stillRunning(handle: Handle, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const { pid } = await spawnedOf(handle, name);
    if (await isRunning(handle, pid)) continue;
    const log = await readFile(join(layoutOf(handle.directory).logs, `${name}.log`), 'utf8');
    throw new Error(`${name} has ended:\n${log.trim().split('\n').slice(-8).join('\n')}`);
  }
}

/** Guards against a pid that was given to another process since. */
async function isRunning({ directory }: Handle, pid: number): Promise<boolean> {
  const [cgroups, status] = await Promise.all(
    ['cgroup', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
  );
  return cgroups?.includes(`/${basename(directory)}/`) === true && !/^State:\s[ZX]/m.test(status ?? '');
}

async function spawnedOf({ directory }: Handle, name: string): Promise<Spawned> {
  return JSON.parse(await readFile(fileOf(layoutOf(directory), name), 'utf8')) as Spawned;
}

const fileOf = (layout: Layout, name: string): string => join(layout.processes, `${name}.json`);
