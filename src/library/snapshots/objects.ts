import type { DomainLibrary, QdrantCluster } from '../../api/index.ts';
import {
  type ConfigMap,
  type Job,
  secretFiles,
  type WorkerAccess,
  type WorkerMount,
  workerAccess,
  workerConfigData,
  workerJob,
} from '../../kube/index.ts';
import { API_KEY_FILE, CA_FILE } from '../../migration/index.ts';
import { libraryLabels, TASK_LABEL } from '../names.ts';
import { owned } from '../owned.ts';
import { mountedSecrets } from '../secrets.ts';
import { destinationOf } from './destination.ts';
import { ROLE_LABEL, SNAPSHOT_TASK } from './names.ts';
import { ACCESS_KEY_FILE, BUCKET_KEYS, CLUSTER_KEYS, SECRET_KEY_FILE } from './task-config.ts';

/** What of a task's configuration its objects need. */
export type Task = { readonly task: string; readonly bucket?: { readonly credentials: boolean } | undefined };

export type TaskPlan = {
  readonly library: DomainLibrary;
  readonly cluster: QdrantCluster;
  readonly config: Task;
  readonly names: { readonly account: string; readonly config: string; readonly progress: string };
  readonly job: string;
  /** Of all objects but the account and its rights. */
  readonly labels: Readonly<Record<string, string>>;
  readonly image: string;
  readonly pullSecrets: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Keys of the clusters, where it is not the library's own alone. */
  readonly mounts?: readonly WorkerMount[] | undefined;
};

export type TaskObjects = WorkerAccess & {
  readonly config: ConfigMap;
  /** Empty; made once and from then on the worker's. */
  readonly progress: ConfigMap;
  readonly job: Job;
};

const CLUSTER_PATH = '/etc/qdrant-librarian/keys/cluster';
const BUCKET_PATH = '/etc/qdrant-librarian/keys/bucket';
const BACKOFF_LIMIT = 2;

/** Everything that one attempt needs, all owned by the library. */
export function taskObjects(plan: TaskPlan): TaskObjects {
  const { library, names, config, labels } = plan;
  return {
    ...workerAccess(owned(library, names.account), names.progress),
    config: {
      ...owned(library, names.config, { ...labels, [ROLE_LABEL]: 'config' }),
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: workerConfigData(config),
    },
    progress: { ...owned(library, names.progress, labels), apiVersion: 'v1', kind: 'ConfigMap' },
    job: jobOf(plan),
  };
}

/** The ConfigMap that a snapshot is: its manifest comes into it last. */
export const snapshotMap = (
  library: DomainLibrary,
  name: string,
  annotations: Readonly<Record<string, string>>,
): ConfigMap => {
  const labels = { [TASK_LABEL]: SNAPSHOT_TASK, [ROLE_LABEL]: 'snapshot' };
  const { metadata } = owned(library, name, labels);
  return { metadata: { ...metadata, annotations: { ...annotations } }, apiVersion: 'v1', kind: 'ConfigMap' };
};

function jobOf({ library, cluster, config, names, job, labels, mounts, ...rest }: TaskPlan): Job {
  const { image, pullSecrets, environment } = rest;
  return workerJob({
    object: owned(library, job, labels),
    labels: { ...libraryLabels(library.metadata.name), [TASK_LABEL]: config.task },
    task: config.task,
    account: names.account,
    config: names.config,
    mounts: [...(mounts ?? clusterMount(cluster)), ...bucketMount(library, config)],
    image,
    pullSecrets,
    environment,
    backoffLimit: BACKOFF_LIMIT,
  });
}

function clusterMount(cluster: QdrantCluster): WorkerMount[] {
  const { apiKey, ca } = mountedSecrets(cluster);
  const volume = secretFiles('cluster-keys', { [API_KEY_FILE]: apiKey, [CA_FILE]: ca });
  return volume === undefined ? [] : [{ volume, path: CLUSTER_PATH, variable: CLUSTER_KEYS }];
}

function bucketMount(library: DomainLibrary, { bucket }: Task): WorkerMount[] {
  const secret = destinationOf(library).s3?.credentialsSecretRef?.name;
  if (bucket?.credentials !== true || secret === undefined) return [];
  const key = (file: string) => ({ name: secret, key: file });
  const volume = secretFiles('bucket-keys', {
    [ACCESS_KEY_FILE]: key(ACCESS_KEY_FILE),
    [SECRET_KEY_FILE]: key(SECRET_KEY_FILE),
  });
  return volume === undefined ? [] : [{ volume, path: BUCKET_PATH, variable: BUCKET_KEYS }];
}
