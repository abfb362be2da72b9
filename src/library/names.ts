import type { KubeObject } from '../kube/index.ts';

export { publicName } from '../api/index.ts';

/** The physical collection of a generation that we make. */
export const generationName = (collection: string, generation: number): string => `${collection}--g${generation}`;

/** Labels of everything that belongs to a library. Not those of a cluster's pods: its Services select by them. */
export const libraryLabels = (library: string): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'qdrant-librarian',
  'app.kubernetes.io/name': 'qdrant-library',
  'app.kubernetes.io/instance': library,
  [LIBRARY_LABEL]: library,
});

export const LIBRARY_LABEL = 'qdrant-librarian.io/library';

/** Which task a Job or a ConfigMap belongs to; what belongs to a copy bears none. */
export const TASK_LABEL = 'qdrant-librarian.io/task';

export const taskOf = ({ metadata }: KubeObject): string | undefined => metadata.labels?.[TASK_LABEL];

export const bindingName = (library: string): string => `${library}-binding`;

/** Names of the objects of one copy. A library's name has at most 50 characters, so these are valid everywhere. */
export const workerNames = (library: string, generation: number) => ({
  account: `${library}-copy`,
  config: `${library}-copy-g${generation}`,
  progress: `${library}-copy-g${generation}-progress`,
});

export const jobName = (library: string, generation: number, attempt: number): string =>
  `${library}-g${generation}-a${attempt}`;

/** The attempt that a Job's name tells; 0 for a name that is not one of ours. */
export const attemptOf = (job: string): number => Number(/-a(\d+)$/.exec(job)?.[1] ?? 0);
