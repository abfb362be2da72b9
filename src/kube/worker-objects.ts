import type { KubeObject } from './objects.ts';
import type { Job, Role, RoleBinding, ServiceAccount } from './wire.ts';

type PodSpec = NonNullable<NonNullable<Job['spec']>['template']['spec']>;
export type Volume = NonNullable<PodSpec['volumes']>[number];
/** A mounted directory, and the variable that names it to the worker. */
export type WorkerMount = { readonly volume: Volume; readonly path: string; readonly variable: string };
type Named = Pick<KubeObject, 'metadata'>;

const CONFIG_FILE = 'config.json';
const CONFIG_PATH = '/etc/qdrant-librarian/worker';

/** Content of the ConfigMap that tells a worker what to do. */
export const workerConfigData = (config: unknown): Record<string, string> => ({
  [CONFIG_FILE]: JSON.stringify(config),
});

/** All that a worker may do: read and patch its own progress. */
export const workerRules = (progress: string) => [
  { apiGroups: [''], resources: ['configmaps'], resourceNames: [progress], verbs: ['get', 'patch'] },
];

export type WorkerAccess = {
  readonly account: ServiceAccount;
  readonly role: Role;
  readonly roleBinding: RoleBinding;
};

/** @param object metadata of the account, which its role and binding bear, too; @param progress name of a ConfigMap */
export function workerAccess(object: Named, progress: string): WorkerAccess {
  const { name, namespace = '' } = object.metadata;
  const apiGroup = 'rbac.authorization.k8s.io';
  return {
    account: { ...object, apiVersion: 'v1', kind: 'ServiceAccount' },
    role: { ...object, apiVersion: `${apiGroup}/v1`, kind: 'Role', rules: workerRules(progress) },
    roleBinding: {
      ...object,
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      roleRef: { apiGroup, kind: 'Role', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  };
}

export type WorkerJob = {
  readonly object: Named;
  /** Of the pod. */
  readonly labels: Readonly<Record<string, string>>;
  /** Command of `qdrant-librarian worker`, and name of the container. */
  readonly task: string;
  readonly account: string;
  /** ConfigMap with `workerConfigData`. */
  readonly config: string;
  readonly mounts: readonly WorkerMount[];
  readonly image: string;
  /** Names of Secrets in the Job's namespace. */
  readonly pullSecrets: readonly string[];
  /** Further variables: its log level, where its traces go. */
  readonly environment: Readonly<Record<string, string>>;
  readonly backoffLimit: number;
  readonly fsGroupChangePolicy?: 'OnRootMismatch';
  /** What it has to end after it was told to; 30 when not given. */
  readonly graceSeconds?: number;
  /** Most that it may take, in MiB; 1024 when not given. */
  readonly memoryMebibytes?: number;
};

/** A Job that runs one worker at a time, as the restricted pod security standard wants it. */
export function workerJob({ object, labels, task, account, config, mounts, backoffLimit, ...rest }: WorkerJob): Job {
  const { image, pullSecrets, environment, fsGroupChangePolicy, graceSeconds = 30, memoryMebibytes = 1024 } = rest;
  return {
    ...object,
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: {
      backoffLimit,
      completions: 1,
      parallelism: 1,
      // Two workers at once would write over each other; the lease in the progress is the second guard.
      podReplacementPolicy: 'Failed',
      template: {
        metadata: { labels: { ...labels } },
        spec: {
          restartPolicy: 'Never',
          serviceAccountName: account,
          enableServiceLinks: false,
          ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
          terminationGracePeriodSeconds: graceSeconds,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            runAsGroup: 65532,
            fsGroup: 65532,
            ...(fsGroupChangePolicy === undefined ? {} : { fsGroupChangePolicy }),
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container({ task, image, environment, mounts, memoryMebibytes })],
          volumes: [{ name: 'config', configMap: { name: config } }, ...mounts.map(({ volume }) => volume)],
        },
      },
    },
  };
}

const container = ({
  task,
  image,
  environment,
  mounts,
  memoryMebibytes,
}: Pick<WorkerJob, 'task' | 'image' | 'environment' | 'mounts'> & {
  readonly memoryMebibytes: number;
}): PodSpec['containers'][number] => ({
  name: task,
  image,
  args: ['worker', task, '--config', `${CONFIG_PATH}/${CONFIG_FILE}`],
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
  resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: quantityOf(memoryMebibytes) } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
});

/** As the API server writes it: of another form it would own another field. */
const quantityOf = (mebibytes: number): string => (mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`);

/** Keys of several Secrets as files of one directory; undefined without any. */
export function secretFiles(
  name: string,
  files: Readonly<Record<string, { readonly name: string; readonly key: string } | undefined>>,
): Volume | undefined {
  const sources = Object.entries(files).flatMap(([path, reference]) =>
    reference === undefined ? [] : [{ secret: { name: reference.name, items: [{ key: reference.key, path }] } }],
  );
  return sources.length === 0 ? undefined : { name, projected: { defaultMode: 0o440, sources } };
}
