import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CannotStart } from '../../ground.ts';

const ROOT = '/sys/fs/cgroup';
const CONTROLLERS = ['cpuset', 'cpu', 'io', 'memory', 'pids', 'hugetlb'];

/** Where hierarchies of cgroups are mounted: one with version 2, one per controller with version 1. */
async function hierarchies(): Promise<{ readonly version: 1 | 2; readonly paths: readonly string[] }> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).trim().split('\n');
  const mounts = lines.map((line) => {
    const [before = '', after = ''] = line.split(' - ');
    return { path: before.split(' ')[4] ?? '', type: after.split(' ')[0] ?? '' };
  });
  if (mounts.some(({ path, type }) => path === ROOT && type === 'cgroup2')) return { version: 2, paths: [ROOT] };
  // One of version 2 that is mounted beside them without controllers is used by container runtimes, too.
  return { version: 1, paths: mounts.filter(({ type }) => type.startsWith('cgroup')).map(({ path }) => path) };
}

/**
 * Makes the cgroups of a run: pods live below them, and everything else of the node in one named `system`.
 *
 * @returns the file that takes the pid of a process which shall belong to the node
 */
export async function createCgroups(name: string): Promise<string> {
  const { version, paths } = await hierarchies();
  const [first] = paths.filter((path) => version === 2 || basename(path) === 'pids').concat(paths);
  if (first === undefined) throw new CannotStart(`a node needs cgroups below ${ROOT}`);
  try {
    if (version === 2) await delegate(ROOT);
    for (const path of paths) {
      await mkdir(join(path, name), { recursive: true });
      if (version === 2) await delegate(join(path, name));
      else await inheritProcessors(path, name);
    }
    await mkdir(join(first, name, 'system'), { recursive: true });
  } catch (error) {
    throw new CannotStart(`a node needs cgroups of its own: ${String(error)}`, { cause: error });
  }
  return join(first, name, 'system/cgroup.procs');
}

/** Version 2 has controllers only where the cgroup above grants them. */
async function delegate(path: string): Promise<void> {
  const available = (await readFile(join(path, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const granted = (await readFile(join(path, 'cgroup.subtree_control'), 'utf8')).trim().split(' ');
  const wanted = CONTROLLERS.filter((one) => available.includes(one) && !granted.includes(one));
  if (wanted.length > 0)
    await writeFile(join(path, 'cgroup.subtree_control'), wanted.map((one) => `+${one}`).join(' '));
}

/** A cpuset of version 1 begins without processors and memory, and takes no process so. */
async function inheritProcessors(hierarchy: string, name: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const value = await readFile(join(hierarchy, file), 'utf8').catch(() => undefined);
    if (value !== undefined) await writeFile(join(hierarchy, name, file), value);
  }
}

/** The processes in a run's cgroups; `below` narrows to those whose cgroup's path holds the text. */
export async function processesIn(name: string, below = ''): Promise<number[]> {
  const folders = (await foldersOf(name)).filter((folder) => folder.includes(below));
  const lists = await Promise.all(
    folders.map((folder) => readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '')),
  );
  return [...new Set(lists.flatMap((list) => list.split('\n').filter(Boolean).map(Number)))];
}

/** Kills whatever is in a run's cgroups, and removes them. */
export async function removeCgroups(name: string, patienceMilliseconds = 15_000): Promise<void> {
  const deadline = performance.now() + patienceMilliseconds;
  for (;;) {
    // What starts new processes first.
    for (const below of ['/system', '']) {
      for (const pid of await processesIn(name, below)) kill(pid);
    }
    const folders = await foldersOf(name);
    // A killed process keeps its cgroup for a moment.
    for (const folder of folders.toReversed()) await rmdir(folder).catch(() => undefined);
    if (folders.length === 0) return;
    if (performance.now() > deadline) throw new Error(`cgroups of ${name} can't be removed: ${folders.join(', ')}`);
    await sleep(50);
  }
}

/** Names of the cgroups at the top that begin so. */
export async function cgroupsNamed(beginning: string): Promise<string[]> {
  const { paths } = await hierarchies();
  const names = await Promise.all(paths.map((path) => readdir(path)));
  return [...new Set(names.flat().filter((name) => name.startsWith(beginning)))];
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The folders of a run in all hierarchies, outer ones first. */
async function foldersOf(name: string): Promise<string[]> {
  const { paths } = await hierarchies();
  return (await Promise.all(paths.map((path) => withFoldersBelow(join(path, name))))).flat();
}

async function withFoldersBelow(folder: string): Promise<string[]> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => withFoldersBelow(join(folder, entry.name)));
  return [folder, ...(await Promise.all(below)).flat()];
}
