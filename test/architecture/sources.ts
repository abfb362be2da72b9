import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

export type Source = {
  /** Path from the repository's root. */
  readonly path: string;
  readonly lines: number;
  /** Paths from the root for relative imports, bare names for packages. */
  readonly imports: readonly string[];
  /** Those of them that are there when the code runs: `import type` leaves nothing behind. */
  readonly loads: readonly string[];
};

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Every TypeScript file below `folder`, with what it imports (type-only imports count: they are knowledge too). */
export function sources(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(join(folder, path)))
    .toSorted((a, b) => a.path.localeCompare(b.path));
}

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const found = [...text.matchAll(IMPORT)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? '';
    const target = name.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), name)) : name;
    return { target, typeOnly: /^\s*(?:import|export) type\b/.test(match[0]) };
  });
  return {
    path,
    lines: text.split('\n').length,
    imports: found.map(({ target }) => target),
    loads: found.filter(({ typeOnly }) => !typeOnly).map(({ target }) => target),
  };
}
