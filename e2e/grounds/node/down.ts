import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cgroupsNamed, processesIn, removeCgroups } from './cgroups.ts';
import { MARK } from './layout.ts';

const OWNER = 'owner';
const YOUNG_MILLISECONDS = 10_000;

/**
 * Ends a node, whatever state it is in. All its processes are in its cgroups; namespaces and mounts go with the last of
 * them, so that its directory is all that is left then.
 */
export async function down(directory: string): Promise<void> {
  await removeCgroups(basename(directory));
  // A mount namespace goes a moment after its last process.
  await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/** Notes that this process is the one for which the node in the directory runs. */
export async function own(directory: string): Promise<void> {
  await writeFile(join(directory, OWNER), `${process.pid} ${await startOf(process.pid)}`);
}

/** Ends nodes of runs that were killed, their keepers too; gives their names. */
export async function removeLeftovers(): Promise<string[]> {
  const folder = tmpdir();
  const here = (await readdir(folder)).filter((name) => name.startsWith(MARK));
  const removed: string[] = [];
  for (const name of here) {
    if (await isOwned(join(folder, name))) continue;
    await down(join(folder, name));
    removed.push(name);
  }
  // Those that have a process may belong to a run with another folder for what is temporary.
  for (const name of await cgroupsNamed(MARK)) {
    if (!here.includes(name) && (await processesIn(name)).length === 0) await removeCgroups(name);
  }
  return removed;
}

async function isOwned(directory: string): Promise<boolean> {
  const owner = await readFile(join(directory, OWNER), 'utf8').catch(() => undefined);
  if (owner === undefined) return isYoung(directory);
  const [pid = '', start] = owner.split(' ');
  return start !== undefined && (await startOf(Number(pid))) === start;
}

/** Its owner may be about to say so. */
async function isYoung(directory: string): Promise<boolean> {
  const { birthtimeMs } = await stat(directory).catch(() => ({ birthtimeMs: 0 }));
  return Date.now() - birthtimeMs < YOUNG_MILLISECONDS;
}

/** When a process began, in ticks since the machine did; tells it from a later one with its pid. Source: proc(5). */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name before may hold anything, spaces and parentheses too.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
