import { createHash } from 'node:crypto';
import { PREFIX } from '../api/index.ts';

export const JOB_LABEL = `${PREFIX}vectorization-job`;
/** Which run a Job carries out. */
export const RUN_LABEL = `${PREFIX}run`;
/** How many workers of the run were ended before this one, because they hung. */
export const ATTEMPT_LABEL = `${PREFIX}attempt`;

/** Labels of everything that belongs to a VectorizationJob. */
export const vectorizationLabels = (job: string): Record<string, string> => ({
  'app.kubernetes.io/managed-by': 'qdrant-librarian',
  'app.kubernetes.io/name': 'qdrant-vectorization',
  'app.kubernetes.io/instance': job,
  [JOB_LABEL]: job,
});

/** Names of the objects that stay from run to run. A job's name has at most 50 characters. */
export const objectNames = (job: string) => ({
  /** ServiceAccount, Role and RoleBinding. */
  account: `${job}-vec`,
  /** ConfigMap: the worker's own. */
  progress: `${job}-vec-progress`,
});

/** Name of the Job and of the ConfigMap with its configuration. */
export const runName = (job: string, run: string): string => `${job}-vec-${run}`;

/** Eight hex digits that tell a run from all others of the object. @param begun milliseconds since the epoch */
export const runId = (uid: string, begun: number): string =>
  createHash('sha256').update(`${uid}/${begun}`).digest('hex').slice(0, 8);
