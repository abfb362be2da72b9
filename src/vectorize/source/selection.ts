import { posix } from 'node:path';

export type Selection = {
  /** Whether a document is wanted. */
  readonly wants: (path: string) => boolean;
  /** Whether nothing below a directory can be wanted. */
  readonly prunes: (directory: string) => boolean;
};

const BELOW = '/**';

/**
 * What `include` and `exclude` leave of a source. Patterns are those of Node's `path.matchesGlob`: a part of a path
 * that begins with a dot matches only a pattern that says the dot.
 */
export function selectionOf(include: readonly string[], exclude: readonly string[]): Selection {
  const wholly = exclude.filter((pattern) => pattern.endsWith(BELOW)).map((pattern) => pattern.slice(0, -BELOW.length));
  return {
    wants: (path) => (include.length === 0 || matchesAny(path, include)) && !matchesAny(path, exclude),
    prunes: (directory) => matchesAny(directory, wholly),
  };
}

const matchesAny = (path: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => posix.matchesGlob(path, pattern));
