import { chmod, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { VolumeFile } from './volume-content.ts';

/** The link that names the current set of files; swapped by one rename. Source: kubelet `atomic_writer.go`. */
const CURRENT = '..data';

let generation = 0;

async function currentDirectory(directory: string): Promise<string | undefined> {
  return readlink(join(directory, CURRENT)).catch(() => undefined);
}

const topLevel = (files: ReadonlyMap<string, VolumeFile>): Set<string> =>
  new Set([...files.keys()].map((path) => path.split('/')[0] ?? path));

/**
 * Replaces the files of a directory as one: a reader sees either all old or all new ones.
 * Callers write one directory at a time.
 */
export async function writeAtomically(directory: string, files: ReadonlyMap<string, VolumeFile>): Promise<void> {
  await mkdir(directory, { recursive: true });
  const previous = await currentDirectory(directory);
  generation += 1;
  const next = `..${process.pid}.${generation}`;
  await mkdir(join(directory, next));
  for (const [path, { content, mode }] of files) {
    const target = join(directory, next, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode });
    await chmod(target, mode);
  }
  await symlink(next, join(directory, `${CURRENT}_tmp`));
  await rename(join(directory, `${CURRENT}_tmp`), join(directory, CURRENT));
  await linkVisibleNames(directory, topLevel(files));
  if (previous !== undefined) await rm(join(directory, previous), { recursive: true, force: true });
}

async function linkVisibleNames(directory: string, wanted: ReadonlySet<string>): Promise<void> {
  const present = new Set((await readdir(directory)).filter((name) => !name.startsWith('..')));
  for (const name of wanted.difference(present)) await symlink(join(CURRENT, name), join(directory, name));
  for (const name of present.difference(wanted)) await rm(join(directory, name), { force: true });
}
