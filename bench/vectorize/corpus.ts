import { cpSync, mkdirSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { basename, join } from 'node:path';

const MODULES = join(import.meta.dirname, '../../node_modules');

/** Markdown of the packages that are installed, so many files at most, flat in one directory. */
export async function gatherMarkdown(directory: string, most: number): Promise<number> {
  mkdirSync(directory, { recursive: true });
  const found = (await Array.fromAsync(glob('**/*.md', { cwd: MODULES }))).toSorted();
  const some = found.slice(0, most);
  for (const [index, path] of some.entries()) {
    cpSync(join(MODULES, path), join(directory, `${String(index).padStart(5, '0')}-${basename(path)}`));
  }
  return some.length;
}
