import type { DomainLibrary } from '../../api/index.ts';
import type { LibraryDeps } from '../deps.ts';
import { ownedBy } from '../indexes.ts';
import { taskOf } from '../names.ts';
import { ROLE_LABEL } from '../snapshots/names.ts';
import { DISCOVER_TASK } from './objects.ts';
import { DISCOVERY_KEYS, parseDiscoveryProgress } from './progress.ts';
import type { DiscoveryWorld } from './world.ts';

/** Read off the caches of Kubernetes objects. */
export function discoveryWorld({ informers }: LibraryDeps, library: DomainLibrary): DiscoveryWorld {
  const maps = ownedBy(library, informers.configMaps).filter((map) => taskOf(map) === DISCOVER_TASK);
  const isConfig = ({ metadata }: (typeof maps)[number]): boolean => metadata.labels?.[ROLE_LABEL] === 'config';
  const report = maps.find((map) => !isConfig(map));
  const jobs = ownedBy(library, informers.jobs).filter((job) => taskOf(job) === DISCOVER_TASK);
  return {
    progress: parseDiscoveryProgress(report?.data?.[DISCOVERY_KEYS.progress]),
    objects: jobs.length > 0 || maps.some(isConfig),
  };
}
