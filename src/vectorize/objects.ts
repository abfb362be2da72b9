import type { VectorizationJob } from '../api/index.ts';
import {
  type ConfigMap,
  type Job,
  type KubeObject,
  ownerReference,
  type Role,
  type RoleBinding,
  type ServiceAccount,
} from '../kube/index.ts';
import { VECTORIZE_DIRECTORIES } from './config.ts';
import { objectNames, RUN_LABEL, runName, vectorizationLabels } from './names.ts';
import { workerRules } from './rbac.ts';
import { embedderKeys, type NeededKey, sourceKeys } from './references.ts';
import { readsFiles, workerConfig } from './worker-config.ts';
import type { World } from './world.ts';

export type RunObjects = {
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
const MOUNTS = '/etc/qdrant-librarian/vectorize';
/** Of pods that ended without a result; each goes on where the one before was. */
const BACKOFF_LIMIT = 6;

/** Everything one run needs, all owned by the VectorizationJob. @throws Error without a bound library */
export function runObjects(world: World, run: string): RunObjects {
  const { job, library } = world;
  if (library?.binding === undefined) throw new Error('the library has no binding');
  const names = objectNames(job.metadata.name);
  const subject = { kind: 'ServiceAccount', name: names.account, namespace: job.metadata.namespace ?? '' };
  const apiGroup = 'rbac.authorization.k8s.io';
  const config = owned(job, runName(job.metadata.name, run), run);
  const told = workerConfig(world, { ...library, binding: library.binding }, run);
  return {
    account: { ...owned(job, names.account), apiVersion: 'v1', kind: 'ServiceAccount' },
    role: {
      ...owned(job, names.account),
      apiVersion: `${apiGroup}/v1`,
      kind: 'Role',
      rules: workerRules(names.progress),
    },
    roleBinding: {
      ...owned(job, names.account),
      apiVersion: `${apiGroup}/v1`,
      kind: 'RoleBinding',
      roleRef: { apiGroup, kind: 'Role', name: names.account },
      subjects: [subject],
    },
    config: { ...config, apiVersion: 'v1', kind: 'ConfigMap', data: { [CONFIG_FILE]: JSON.stringify(told) } },
    progress: { ...owned(job, names.progress), apiVersion: 'v1', kind: 'ConfigMap' },
    job: workerJob(world, run, library.binding.name),
  };
}

function owned(job: VectorizationJob, name: string, run?: string): Pick<KubeObject, 'metadata'> {
  const { namespace } = job.metadata;
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...vectorizationLabels(job.metadata.name), ...(run === undefined ? {} : { [RUN_LABEL]: run }) },
      ownerReferences: [ownerReference(job)],
    },
  };
}

type PodSpec = NonNullable<NonNullable<Job['spec']>['template']['spec']>;
type Volume = NonNullable<PodSpec['volumes']>[number];
/** A mounted directory, and the variable that names it. */
type Mount = { readonly volume: Volume; readonly variable: string };

function workerJob(world: World, run: string, binding: string): Job {
  const { job, settings } = world;
  const { name } = job.metadata;
  const mounts = mountsOf(world, binding);
  const { workerPullSecrets: pullSecrets } = settings;
  return {
    ...owned(job, runName(name, run), run),
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: {
      backoffLimit: BACKOFF_LIMIT,
      completions: 1,
      parallelism: 1,
      // Two workers at once would write over each other; the lease in the progress is the second guard.
      podReplacementPolicy: 'Failed',
      template: {
        metadata: { labels: vectorizationLabels(name) },
        spec: {
          restartPolicy: 'Never',
          serviceAccountName: objectNames(name).account,
          enableServiceLinks: false,
          ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((secret) => ({ name: secret })) }),
          terminationGracePeriodSeconds: 30,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            runAsGroup: 65532,
            fsGroup: 65532,
            // Somebody's documents: what they belong to is not changed file by file at each run.
            fsGroupChangePolicy: 'OnRootMismatch',
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [container(world, mounts)],
          volumes: [{ name: 'config', configMap: { name: runName(name, run) } }, ...mounts.map(({ volume }) => volume)],
        },
      },
    },
  };
}

const container = ({ settings }: World, mounts: readonly Mount[]): PodSpec['containers'][number] => ({
  name: 'vectorize',
  image: settings.workerImage,
  args: ['worker', 'vectorize', '--config', `${CONFIG_PATH}/${CONFIG_FILE}`],
  env: [
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    ...mounts.map(({ volume, variable }) => ({ name: variable, value: `${MOUNTS}/${volume.name}` })),
    ...Object.entries(settings.workerEnvironment).map(([name, value]) => ({ name, value })),
  ],
  volumeMounts: [
    { name: 'config', mountPath: CONFIG_PATH, readOnly: true },
    ...mounts.map(({ volume }) => ({ name: volume.name, mountPath: `${MOUNTS}/${volume.name}`, readOnly: true })),
  ],
  resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
});

function mountsOf({ job, sourceCluster }: World, binding: string): Mount[] {
  const golden = job.spec.gates?.goldenQueriesConfigMapRef?.name;
  const optional = (volume: Volume | undefined, variable: string): Mount[] =>
    volume === undefined ? [] : [{ volume, variable }];
  return [
    {
      volume: { name: 'binding', secret: { secretName: binding, defaultMode: 0o440 } },
      variable: VECTORIZE_DIRECTORIES.binding,
    },
    ...optional(documentsVolume(job), VECTORIZE_DIRECTORIES.documents),
    ...optional(keyVolume('embedder-keys', embedderKeys(job)), VECTORIZE_DIRECTORIES.embedder),
    ...optional(keyVolume('source-keys', sourceKeys(job, sourceCluster)), VECTORIZE_DIRECTORIES.source),
    ...optional(
      golden === undefined ? undefined : { name: 'golden-queries', configMap: { name: golden } },
      VECTORIZE_DIRECTORIES.goldenQueries,
    ),
  ];
}

function documentsVolume(job: VectorizationJob): Volume | undefined {
  const { configMap, persistentVolumeClaim: claim } = job.spec.source;
  if (!readsFiles(job)) return undefined;
  return configMap !== undefined
    ? { name: 'documents', configMap: { name: configMap.name } }
    : { name: 'documents', persistentVolumeClaim: { claimName: claim?.claimName ?? '', readOnly: true } };
}

/** Keys of several Secrets as files of one directory. */
function keyVolume(name: string, keys: Readonly<Record<string, NeededKey>>): Volume | undefined {
  const sources = Object.entries(keys).map(([path, { name: secret, key }]) => ({
    secret: { name: secret, items: [{ key, path }] },
  }));
  return sources.length === 0 ? undefined : { name, projected: { defaultMode: 0o440, sources } };
}
