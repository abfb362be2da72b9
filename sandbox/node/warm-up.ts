import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Fills the compile cache that `NODE_COMPILE_CACHE` names: `warm-up.ts <main> <directory>...` loads every module of the
 * directories and then the main module, which is asked for its help and so does nothing.
 */
const [main = '', ...directories] = process.argv.slice(2);

const load = async (path: string): Promise<void> => {
  try {
    await import(pathToFileURL(path).href);
  } catch {
    // What can't be loaded has no business in a cache.
  }
};

await import('./dns-hook.ts');
for (const directory of directories) {
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, file);
    if (file.endsWith('.ts') && path !== main) await load(path);
  }
}
process.argv.splice(1, process.argv.length - 1, main, '--help');
await load(main);
