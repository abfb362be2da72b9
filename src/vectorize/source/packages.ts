import { posix } from 'node:path';
import { type DirectoryOptions, directorySource } from './directory.ts';
import { type Package, packageOf, packagesOfLock, packageText } from './manifest.ts';
import type { Selection } from './selection.ts';
import { type Content, type Entry, entriesOf, Problems, ReadError, type Source } from './source.ts';

const MANIFEST = 'package.json';
const LOCK = 'package-lock.json';
const MAX_LOCK_BYTES = 64 * 1024 * 1024;

/**
 * The packages whose manifests lie below a directory: a document each, named `<name>@<version>`. What only a lock file
 * tells of is a document too.
 */
export function packagesSource(options: DirectoryOptions): Source {
  const files = directorySource({ ...options, selection: manifestsOf(options.selection) });
  return {
    list: async (signal, moved) => {
      const problems = new Problems();
      const listing = await files.list(signal, moved);
      const known = new Map<string, Package>();
      const locked: Package[] = [];
      const failures: Entry[] = [];
      for await (const entry of listing.entries) {
        moved?.();
        try {
          const content = await files.read(entry, { maxBytes: MAX_LOCK_BYTES, signal });
          const json: unknown = JSON.parse(Buffer.from(content?.bytes ?? []).toString('utf8'));
          if (posix.basename(entry.path) === LOCK) locked.push(...packagesOfLock(json));
          else keep(known, packageOf(json));
        } catch (error) {
          const failure = failureOf(entry.path, error);
          // A manifest that was there a moment ago may be of any package.
          if (failure.reason === 'Vanished' || failure.reason === 'Changing') problems.add(failure.message);
          else failures.push({ path: entry.path, failure });
        }
      }
      for (const found of listing.end().problems) problems.add(found);
      for (const found of locked) keep(known, found);
      const packages = [...known].toSorted(([a], [b]) => (a < b ? -1 : 1));
      const entries = [...packages.map(([path, found]) => ({ path, content: contentOf(found) })), ...failures];
      return { entries: entriesOf(entries), total: entries.length, end: () => problems.end() };
    },
    read: async ({ path, content, failure }) => {
      if (content !== undefined) return content;
      throw failure ?? new ReadError('Unreadable', `${path} is no package`);
    },
    close: () => files.close(),
  };
}

/** Patterns are about directories of packages as well as about their files. */
const manifestsOf = ({ wants, prunes }: Selection): Selection => ({
  wants: (path) => [MANIFEST, LOCK].includes(posix.basename(path)) && wants(path),
  prunes,
});

function keep(known: Map<string, Package>, found: Package | undefined): void {
  if (found === undefined) return;
  const path = `${found.name}@${found.version}`;
  if (!known.has(path)) known.set(path, found);
}

const contentOf = (found: Package): Content => ({
  bytes: Buffer.from(packageText(found)),
  mediaType: 'text/markdown',
  payload: {
    kind: 'package',
    name: found.name,
    version: found.version,
    ...(found.licence === undefined ? {} : { licence: found.licence }),
    dependencies: found.dependencies.map(({ name }) => name),
  },
});

function failureOf(path: string, error: unknown): ReadError {
  if (error instanceof ReadError) return error;
  if (error instanceof SyntaxError) return new ReadError('Unreadable', `${path} is not JSON`);
  throw error;
}
