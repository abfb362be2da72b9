import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { faultCode } from '../../http/index.ts';
import type { Selection } from './selection.ts';
import { type Problems, SourceError } from './source.ts';

export type Walk = {
  readonly root: string;
  readonly selection: Selection;
  readonly problems: Problems;
  readonly signal: AbortSignal;
  /** Called for each directory. */
  readonly moved?: (() => void) | undefined;
};

/** Deeper is a directory that holds itself. */
const MAX_DEPTH = 64;
/** The store of a version control system is no document. */
const NEVER = new Set(['.git', '.hg', '.svn']);

/**
 * Paths of all wanted files below a directory, in the order of their names.
 *
 * Links are followed as long as they stay below the root: a package manager's tree is made of them.
 * @throws SourceError when the root can't be read
 */
export async function filesBelow(walk: Walk): Promise<string[]> {
  const root = await realRoot(walk.root);
  const found: string[] = [];
  await descend({ ...walk, root }, { path: '', real: root, above: [] }, found);
  return found;
}

/** @throws SourceError when there is no such directory */
export async function realRoot(root: string): Promise<string> {
  try {
    const real = await realpath(root);
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    throw new SourceError('SourceMissing', `the source's directory is not there: ${faultCode(error)}`);
  }
  throw new SourceError('SourceMissing', 'the source is no directory');
}

/** @param real as `realpath` gives it */
export const isBelow = (root: string, real: string): boolean =>
  real === root || real.startsWith(root.endsWith(sep) ? root : root + sep);

type Place = { readonly path: string; readonly real: string; readonly above: readonly string[] };

async function descend(walk: Walk, place: Place, found: string[]): Promise<void> {
  walk.signal.throwIfAborted();
  walk.moved?.();
  for (const entry of await childrenOf(walk, place)) {
    // Kubernetes keeps what a mounted ConfigMap's links lead to in directories of such names.
    if (entry.name.startsWith('..') || NEVER.has(entry.name)) continue;
    const path = place.path === '' ? entry.name : `${place.path}/${entry.name}`;
    const real = join(place.real, entry.name);
    const kind = entry.isSymbolicLink() ? await linked(walk, path, real) : kindOf(entry, real);
    if (kind === undefined) continue;
    if (kind.kind === 'file') {
      if (walk.selection.wants(path)) found.push(path);
    } else if (!walk.selection.prunes(path)) {
      const above = [...place.above, place.real];
      if (above.includes(kind.real)) continue;
      if (above.length >= MAX_DEPTH) walk.problems.add(`${path}: deeper than ${MAX_DEPTH} directories`);
      else await descend(walk, { path, real: kind.real, above }, found);
    }
  }
}

async function childrenOf({ problems }: Walk, { path, real, above }: Place): Promise<Dirent[]> {
  try {
    const entries = await readdir(real, { withFileTypes: true });
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (above.length === 0) throw new SourceError('SourceMissing', `the source can't be read: ${faultCode(error)}`);
    problems.add(`${path}: ${faultCode(error)}`);
    return [];
  }
}

type Kind = { readonly kind: 'file' | 'directory'; readonly real: string };
type Typed = { isFile(): boolean; isDirectory(): boolean };

const kindOf = (entry: Typed, real: string): Kind | undefined => {
  if (entry.isFile()) return { kind: 'file', real };
  return entry.isDirectory() ? { kind: 'directory', real } : undefined;
};

/** A link that leads nowhere or out of the root is as good as none. */
async function linked({ root, problems }: Walk, path: string, link: string): Promise<Kind | undefined> {
  try {
    const real = await realpath(link);
    return isBelow(root, real) ? kindOf(await stat(real), real) : undefined;
  } catch (error) {
    const code = faultCode(error);
    if (code !== 'ENOENT' && code !== 'ELOOP') problems.add(`${path}: ${code}`);
    return undefined;
  }
}
