import type { DomainLibrary, QdrantCluster } from '../../api/index.ts';
import {
  type ConfigMap,
  type Job,
  type KubeObject,
  ownerReference,
  type Role,
  type RoleBinding,
  type ServiceAccount,
} from '../../kube/index.ts';
import { API_KEY_FILE, CA_FILE } from '../../migration/index.ts';
import { libraryLabels, TASK_LABEL } from '../names.ts';
import { workerRules } from '../rbac.ts';
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
};

export type TaskObjects = {
  readonly account: ServiceAccount;
  readonly role: Role;
  readonly roleBinding: RoleBinding;
  readonly config: ConfigMap;
  /** Empty; made once and from then on the worker's. */
  readonly progress: ConfigMap;
  readonly job: Job;
};

const CONFIG_FILE = 'config.json';
const CONFIG_PATH = '/etc/qdrant-librarian/worker';
const CLUSTER_PATH = '/etc/qdrant-librarian/keys/cluster';
const BUCKET_PATH = '/etc/qdrant-librarian/keys/bucket';
const BACKOFF_LIMIT = 2;

/** Everything that one attempt needs, all owned by the library. */
export function taskObjects(plan: TaskPlan): TaskObjects {
  const { library, names, config, labels } = plan;
  const apiGroup = 'rbac.authorization.k8s.io';
  const account = owned(library, names.account);
  const subject = { kind: 'ServiceAccount', name: names.account, namespace: library.metadata.namespace ?? '' };
  return {
    account: { ...account, apiVersion: 'v1', kind: 'ServiceAccount' },
    role: { ...account, apiVersion: `${apiGroup}/v1`, kind: 'Role', rules: workerRules(names.progress) },
    roleBinding: {
      ...account,
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      roleRef: { apiGroup, kind: 'Role', name: names.account },
      subjects: [subject],
    },
    config: {
      ...owned(library, names.config, { ...labels, [ROLE_LABEL]: 'config' }),
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: { [CONFIG_FILE]: JSON.stringify(config) },
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

function owned(
  library: DomainLibrary,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Pick<KubeObject, 'metadata'> {
  const { namespace } = library.metadata;
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...libraryLabels(library.metadata.name), ...labels },
      ownerReferences: [ownerReference(library)],
    },
  };
}

function jobOf({ library, cluster, config, names, job, labels, image, pullSecrets, environment }: TaskPlan): Job {
  const mounts = [...clusterMount(cluster), ...bucketMount(library, config)];
  return {
    ...owned(library, job, labels),
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: {
      backoffLimit: BACKOFF_LIMIT,
      completions: 1,
      parallelism: 1,
      // Two workers at once would write over each other; the lease in the progress is the second guard.
      podReplacementPolicy: 'Failed',
      template: {
        metadata: { labels: { ...libraryLabels(library.metadata.name), [TASK_LABEL]: config.task } },
        spec: {
          restartPolicy: 'Never',
          serviceAccountName: names.account,
          enableServiceLinks: false,
          ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
          terminationGracePeriodSeconds: 30,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            runAsGroup: 65532,
            fsGroup: 65532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: config.task,
              image,
              args: ['worker', config.task, '--config', `${CONFIG_PATH}/${CONFIG_FILE}`],
              env: [
                { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
                { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
                ...mounts.map(({ variable, path }) => ({ name: variable, value: path })),
                ...Object.entries(environment).map(([name, value]) => ({ name, value })),
              ],
              volumeMounts: [
                { name: 'config', mountPath: CONFIG_PATH, readOnly: true },
                ...mounts.map(({ volume, path }) => ({ name: volume.name, mountPath: path, readOnly: true })),
              ],
              resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
            },
          ],
          volumes: [{ name: 'config', configMap: { name: names.config } }, ...mounts.map(({ volume }) => volume)],
        },
      },
    },
  };
}

const MODE = 0o440;

const fileOf = (reference: { readonly name: string; readonly key: string } | undefined, path: string) =>
  reference === undefined ? [] : [{ secret: { name: reference.name, items: [{ key: reference.key, path }] } }];

function clusterMount(cluster: QdrantCluster) {
  const { apiKey, ca } = mountedSecrets(cluster);
  const sources = [...fileOf(apiKey, API_KEY_FILE), ...fileOf(ca, CA_FILE)];
  if (sources.length === 0) return [];
  const volume = { name: 'cluster-keys', projected: { defaultMode: MODE, sources } };
  return [{ volume, path: CLUSTER_PATH, variable: CLUSTER_KEYS }];
}

function bucketMount(library: DomainLibrary, { bucket }: Task) {
  const secret = destinationOf(library).s3?.credentialsSecretRef?.name;
  if (bucket?.credentials !== true || secret === undefined) return [];
  const items = [ACCESS_KEY_FILE, SECRET_KEY_FILE].map((key) => ({ key, path: key }));
  const volume = {
    name: 'bucket-keys',
    projected: { defaultMode: MODE, sources: [{ secret: { name: secret, items } }] },
  };
  return [{ volume, path: BUCKET_PATH, variable: BUCKET_KEYS }];
}
