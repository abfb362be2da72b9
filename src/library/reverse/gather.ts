import type { DomainLibrary } from '../../api/index.ts';
import { PROGRESS_KEY, parseReverseProgress } from '../../migration/index.ts';
import type { LibraryDeps } from '../deps.ts';
import { ownedBy } from '../indexes.ts';
import { taskOf } from '../names.ts';
import { REVERSE_TASK } from './names.ts';
import type { ReverseWorld } from './world.ts';

/** Read off the caches of Kubernetes objects. */
export function reverseWorld({ informers }: LibraryDeps, library: DomainLibrary): ReverseWorld {
  const maps = ownedBy(library, informers.configMaps).filter((map) => taskOf(map) === REVERSE_TASK);
  const jobs = ownedBy(library, informers.jobs).filter((job) => taskOf(job) === REVERSE_TASK);
  return {
    progress: maps.flatMap(({ data }) => parseReverseProgress(data?.[PROGRESS_KEY]) ?? []),
    objects: jobs.length + maps.length > 0,
  };
}
