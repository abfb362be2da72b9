import { createHash } from 'node:crypto';

export const DISCOVER_TASK = 'discover';

/** Names of objects; a library's name has at most 50 characters. The report stays when its Job is put away. */
export const discoveryNames = (library: string) => ({
  account: `${library}-discover`,
  config: `${library}-discovery-config`,
  progress: `${library}-discovery`,
});

/** What the Jobs of one discovery begin with. */
export const discoveryJobPrefix = (library: string, change: string): string =>
  `${library}-d${createHash('sha256').update(change).digest('hex').slice(0, 6)}-a`;
