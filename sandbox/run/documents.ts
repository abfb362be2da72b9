import { cp, glob, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** What of a directory of installed packages goes into which folder. */
type Selection = { readonly folder: string; readonly patterns: readonly string[]; readonly mostBytes: number };

/** Large files are bundles. */
const MOST_FILE_BYTES = 60_000;

const SELECTIONS: readonly Selection[] = [
  { folder: 'documentation', patterns: ['**/*.md'], mostBytes: 700_000 },
  { folder: 'code', patterns: ['*/{lib,src}/**/*.js', '**/src/**/*.ts'], mostBytes: 2_500_000 },
  { folder: 'dependencies', patterns: ['**/package.json'], mostBytes: 5_000_000 },
];

/**
 * Copies what the main job vectorises out of a directory of installed packages: Markdown, JavaScript and TypeScript,
 * package manifests; and a table of the packages that it makes of their files.
 *
 * @returns how many files each folder got
 */
export async function gatherDocuments(modules: string, directory: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const { folder, patterns, mostBytes } of SELECTIONS) {
    let [files, bytes] = [0, 0];
    for await (const { path, size } of filesOf(modules, patterns)) {
      if (bytes + size > mostBytes) break;
      const target = join(directory, folder, path);
      await mkdir(dirname(target), { recursive: true });
      await cp(join(modules, path), target);
      files += 1;
      bytes += size;
    }
    counts.set(folder, files);
  }
  const rows = await packageTable(modules);
  await mkdir(join(directory, 'analytics'), { recursive: true });
  await writeFile(join(directory, 'analytics/packages.json'), JSON.stringify(rows, null, 1));
  counts.set('analytics', rows.length);
  return counts;
}

async function* filesOf(modules: string, patterns: readonly string[]) {
  for (const pattern of patterns) {
    // In an order that is the same on every machine.
    const paths = (await Array.fromAsync(glob(pattern, { cwd: modules }))).toSorted();
    for (const path of paths) {
      const found = await stat(join(modules, path));
      if (found.isFile() && found.size <= MOST_FILE_BYTES) yield { path, size: found.size };
    }
  }
}

type Row = {
  readonly package: string;
  readonly version: string;
  readonly license: string;
  readonly files: number;
  readonly sources: number;
  readonly declarations: number;
  readonly pages: number;
  readonly dependencies: number;
};

type Manifest = { name?: unknown; version?: unknown; license?: unknown; dependencies?: object };

/** A row for each package: what it brings. */
async function packageTable(modules: string): Promise<Row[]> {
  const manifests = (await Array.fromAsync(glob('{*,@*/*}/package.json', { cwd: modules }))).toSorted();
  const rows: Row[] = [];
  for (const path of manifests) {
    const {
      name,
      version,
      license,
      dependencies = {},
    } = JSON.parse(await readFile(join(modules, path), 'utf8')) as Manifest;
    if (typeof name !== 'string' || typeof version !== 'string') continue;
    const files = await filesOfPackage(join(modules, dirname(path)));
    const count = (ending: RegExp): number => files.filter((file) => ending.test(file)).length;
    rows.push({
      package: name,
      version,
      license: typeof license === 'string' ? license : 'unknown',
      files: files.length,
      sources: count(/(?<!\.d)\.[cm]?[jt]s$/),
      declarations: count(/\.d\.[cm]?ts$/),
      pages: count(/\.md$/),
      dependencies: Object.keys(dependencies).length,
    });
  }
  return rows;
}

/** What is installed inside of a package is counted there. */
async function filesOfPackage(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules'));
}
