import { join } from 'node:path';
import { readStable } from './read-file.ts';
import type { Selection } from './selection.ts';
import { entriesOf, Problems, ReadError, type Source } from './source.ts';
import { filesBelow, realRoot } from './walk.ts';

export type DirectoryOptions = {
  readonly root: string;
  /** Relative; without `..`. */
  readonly below?: string | undefined;
  readonly selection: Selection;
};

/** The files below a directory: a mounted volume or ConfigMap. */
export function directorySource({ root, below = '', selection }: DirectoryOptions): Source {
  const top = join(root, below);
  let real: string | undefined;
  return {
    list: async (signal, moved) => {
      const problems = new Problems();
      const paths = await filesBelow({ root: top, selection, problems, signal, moved });
      const entries = entriesOf(paths.map((path) => ({ path })));
      return { entries, total: paths.length, end: () => problems.end() };
    },
    read: async ({ path }, { maxBytes, signal }) => {
      real ??= await realRoot(top);
      try {
        return { bytes: await readStable(real, path, { maxBytes, signal }) };
      } catch (error) {
        // Where the root itself is gone it is not about the document.
        if (error instanceof ReadError && error.reason !== 'TooLarge') await realRoot(top);
        throw error;
      }
    },
    close: async () => {},
  };
}
