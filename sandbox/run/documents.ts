import { cp, glob, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What of a directory of installed packages goes into which folder. */
type Selection = { readonly folder: string; readonly patterns: readonly string[]; readonly mostBytes: number };

/** Large files are bundles. */
const MOST_FILE_BYTES = 60_000;

const SELECTIONS: readonly Selection[] = [
  { folder: 'documentation', patterns: ['{*,@*/*}/docs/**/*.md', '{*,@*/*}/README.md'], mostBytes: 1_000_000 },
  { folder: 'code', patterns: ['*/{lib,src}/**/*.js', '**/src/**/*.ts'], mostBytes: 1_800_000 },
  { folder: 'dependencies', patterns: ['**/package.json'], mostBytes: 5_000_000 },
];

/** The table of media types that IANA, Apache and nginx publish, as npm's `mime-db` carries it. */
const MEDIA_TYPES = 'mime-db/db.json';

/**
 * Copies what the main job vectorises out of a directory of installed packages: guides, JavaScript and TypeScript,
 * package manifests; and a table, that of media types, with a section for each of its rows.
 *
 * @returns how many files each folder got, and the table rows
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
  const rows = mediaTypes(JSON.parse(await readFile(join(modules, MEDIA_TYPES), 'utf8')) as MediaTypes);
  await mkdir(join(directory, 'analytics'), { recursive: true });
  for (const [kind, texts] of Map.groupBy(rows, ({ kind: of }) => of)) {
    await writeFile(join(directory, `analytics/${kind}.md`), texts.map(({ text }) => text).join('\n\n'));
  }
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

type MediaTypes = Readonly<
  Record<string, { readonly source?: string; readonly extensions?: readonly string[]; readonly compressible?: boolean }>
>;

/** The rows that name extensions of files, in words, by the kind that the type begins with. */
export function mediaTypes(table: MediaTypes): { readonly kind: string; readonly text: string }[] {
  return Object.entries(table).flatMap(([type, { source, extensions = [], compressible }]) => {
    const [kind = ''] = type.split('/');
    if (extensions.length === 0) return [];
    const facts = [
      `Media type of files with the extension ${extensions.join(', ')}.`,
      `Kind: ${kind}.`,
      ...(source === undefined ? [] : [`Registered by: ${source}.`]),
      ...(compressible === undefined ? [] : [`Compressible: ${compressible ? 'yes' : 'no'}.`]),
    ];
    return [{ kind, text: `# ${type}\n\n${facts.join(' ')}` }];
  });
}
