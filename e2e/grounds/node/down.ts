import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cgroupsNamed, removeCgroups } from './cgroups.ts';
import { MARK } from './layout.ts';

const OWNER = 'owner';

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
  const names = new Set([
    ...(await readdir(folder)).filter((name) => name.startsWith(MARK)),
    ...(await cgroupsNamed(MARK)),
  ]);
  const removed: string[] = [];
  for (const name of names) {
    if (await isOwned(join(folder, name))) continue;
    await down(join(folder, name));
    removed.push(name);
  }
  return removed;
}

async function isOwned(directory: string): Promise<boolean> {
  const [pid = '', start] = (await readFile(join(directory, OWNER), 'utf8').catch(() => '')).split(' ');
  return start !== undefined && (await startOf(Number(pid))) === start;
}

/** When a process began, in ticks since the machine did; tells it from a later one with its pid. Source: proc(5). */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name before may hold anything, spaces and parentheses too.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
