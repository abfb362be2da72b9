import type { VectorizationJob } from '../api/index.ts';
import {
  type ConfigMap,
  type Job,
  type KubeObject,
  ownerReference,
  secretFiles,
  type Volume,
  type WorkerAccess,
  type WorkerMount,
  workerAccess,
  workerConfigData,
  workerJob,
} from '../kube/index.ts';
import { VECTORIZE_DIRECTORIES } from './config.ts';
import { ATTEMPT_LABEL, objectNames, RUN_LABEL, runName, vectorizationLabels } from './names.ts';
import { embedderKeys, sourceKeys } from './references.ts';
import { readsFiles, workerConfig } from './worker-config.ts';
import type { World } from './world.ts';

export type RunObjects = WorkerAccess & {
  readonly config: ConfigMap;
  /** Empty; made once and from then on the worker's. */
  readonly progress: ConfigMap;
  readonly job: Job;
};

const MOUNTS = '/etc/qdrant-librarian/vectorize';
/** Of pods that ended without a result; each goes on where the one before was. */
const BACKOFF_LIMIT = 6;
/** Another goes on from wherever it is: there is nothing to bring to an end. */
const GRACE_SECONDS = 5;
/** With one thread that cuts; each further one has a tokenizer and documents of its own (measured: 110 idle, 250 at work). */
const MEBIBYTES = 1024;
const MEBIBYTES_PER_THREAD = 384;

/** Everything one run needs, all owned by the VectorizationJob. @throws Error without a bound library */
export function runObjects(world: World, run: string): RunObjects {
  const { job, library } = world;
  if (library?.binding === undefined) throw new Error('the library has no binding');
  const names = objectNames(job.metadata.name);
  const config = owned(job, runName(job.metadata.name, run), run);
  const told = workerConfig(world, { ...library, binding: library.binding }, run);
  return {
    ...workerAccess(owned(job, names.account), names.progress),
    config: { ...config, apiVersion: 'v1', kind: 'ConfigMap', data: workerConfigData(told) },
    progress: { ...owned(job, names.progress), apiVersion: 'v1', kind: 'ConfigMap' },
    job: runJob(world, run, library.binding.name),
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

function runJob(world: World, run: string, binding: string): Job {
  const { job, settings } = world;
  const { name } = job.metadata;
  const object = owned(job, runName(name, run), run);
  const attempt = { [ATTEMPT_LABEL]: String(job.status?.progress?.attempt ?? 0) };
  return workerJob({
    object: { metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...attempt } } },
    labels: vectorizationLabels(name),
    task: 'vectorize',
    account: objectNames(name).account,
    config: runName(name, run),
    mounts: mountsOf(world, binding),
    image: settings.workerImage,
    pullSecrets: settings.workerPullSecrets,
    environment: settings.workerEnvironment,
    backoffLimit: BACKOFF_LIMIT,
    graceSeconds: GRACE_SECONDS,
    memoryMebibytes: MEBIBYTES + MEBIBYTES_PER_THREAD * ((job.spec.parallelism ?? 1) - 1),
    // Somebody's documents: what they belong to is not changed file by file at each run.
    fsGroupChangePolicy: 'OnRootMismatch',
  });
}

function mountsOf({ job, sourceCluster }: World, binding: string): WorkerMount[] {
  const golden = job.spec.gates?.goldenQueriesConfigMapRef?.name;
  const optional = (volume: Volume | undefined, variable: string): WorkerMount[] =>
    volume === undefined ? [] : [mount(volume, variable)];
  return [
    mount({ name: 'binding', secret: { secretName: binding, defaultMode: 0o440 } }, VECTORIZE_DIRECTORIES.binding),
    ...optional(documentsVolume(job), VECTORIZE_DIRECTORIES.documents),
    ...optional(secretFiles('embedder-keys', embedderKeys(job)), VECTORIZE_DIRECTORIES.embedder),
    ...optional(secretFiles('source-keys', sourceKeys(job, sourceCluster)), VECTORIZE_DIRECTORIES.source),
    ...optional(
      golden === undefined ? undefined : { name: 'golden-queries', configMap: { name: golden } },
      VECTORIZE_DIRECTORIES.goldenQueries,
    ),
  ];
}

const mount = (volume: Volume, variable: string): WorkerMount => ({
  volume,
  variable,
  path: `${MOUNTS}/${volume.name}`,
});

function documentsVolume(job: VectorizationJob): Volume | undefined {
  const { configMap, persistentVolumeClaim: claim } = job.spec.source;
  if (!readsFiles(job)) return undefined;
  return configMap !== undefined
    ? { name: 'documents', configMap: { name: configMap.name } }
    : { name: 'documents', persistentVolumeClaim: { claimName: claim?.claimName ?? '', readOnly: true } };
}
