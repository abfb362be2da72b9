import { createHash } from 'node:crypto';

/** Label of everything that belongs to comparing what serves with what a move has left. */
export const REVERSE_TASK = 'reverse';

/** Names of objects; a library's name has at most 50 characters. */
export const reverseNames = (library: string, generation: number) => ({
  account: `${library}-reverse`,
  config: `${library}-reverse-g${generation}`,
  progress: `${library}-reverse-g${generation}-progress`,
});

/** What the Jobs of one run begin with. */
export const reverseJobPrefix = (library: string, run: string): string =>
  `${library}-v${createHash('sha256').update(run).digest('hex').slice(0, 6)}-a`;
