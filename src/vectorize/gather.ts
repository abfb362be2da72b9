import type { DomainLibrary, QdrantCluster, VectorizationJob } from '../api/index.ts';
import { validate } from '../api/index.ts';
import { findCondition, type Job, keyOf, keyText, type ObjectKey, type Pod } from '../kube/index.ts';
import { connectionOf, isQdrantError, mountedSecrets, type SecretLookup, secretLookup } from '../qdrant/index.ts';
import { dueNow } from './decide/due.ts';
import { refusalOf } from './decide/refused.ts';
import type { VectorizeDeps } from './deps.ts';
import { ownedBy } from './indexes.ts';
import { configMapsDigest, secretsDigest } from './inputs.ts';
import { ATTEMPT_LABEL, objectNames, RUN_LABEL } from './names.ts';
import { parseVectorizeProgress, VECTORIZE_PROGRESS_KEY } from './progress.ts';
import { embedderKeys, type NeededKey, neededObjects, sourceKeys } from './references.ts';
import type { Sight } from './sight.ts';
import { targetVectors } from './target-vectors.ts';
import type {
  Inputs,
  LibraryFacts,
  Reference,
  SourceCluster,
  TargetSight,
  VectorizeSettings,
  WorkerJob,
  World,
} from './world.ts';

export type GatherOptions = {
  readonly job: VectorizationJob;
  readonly settings: VectorizeSettings;
  readonly signal: AbortSignal;
  /** Asks no Qdrant: nothing will begin. */
  readonly blind: boolean;
  readonly sight: Sight;
};

/** Reads the world: caches of Kubernetes objects and, when a run is to begin, the library's collection. */
export async function gather(
  deps: VectorizeDeps,
  { job, settings, signal, blind, sight }: GatherOptions,
): Promise<World> {
  const { informers } = deps;
  const { namespace } = keyOfJob(job);
  const library = informers.libraries.store.get({ namespace, name: job.spec.target.libraryRef.name });
  const secrets = secretLookup(informers.secrets.store, namespace);
  const { sourceCluster, problems } = clusterOfSource(deps, job, secrets);
  const jobs = ownedBy(job, informers.jobs).map((owned) => workerJobOf(owned, ownedBy(owned, informers.pods)));
  const progressMap = informers.configMaps.store.get({ namespace, name: objectNames(job.metadata.name).progress });
  const now = deps.now();
  const id = keyText(keyOfJob(job));
  const world: World = {
    now,
    job,
    library: library === undefined ? undefined : libraryFacts(deps, library, secrets),
    target: { kind: 'notAsked' },
    references: [
      ...objectReferences(deps, job),
      ...problems,
      ...keyReferences({ ...embedderKeys(job), ...prefixed(sourceKeys(job, sourceCluster)) }, secrets),
    ],
    inputs: inputsOf(deps, { job, sight, now, settings }),
    watchedSince: sight.watchedSince(
      id,
      jobs.map(({ name, attempt, begun }) => `${name}/${attempt}/${begun}`).join(),
      now,
    ),
    sourceCluster,
    jobs,
    progress: parseVectorizeProgress(progressMap?.data?.[VECTORIZE_PROGRESS_KEY]),
    settings,
  };
  if (blind || library === undefined || !asksTarget(world)) return world;
  return { ...world, target: await lookAtTarget(deps, library, { secrets, signal }) };
}

type Looking = Pick<GatherOptions, 'job' | 'sight' | 'settings'> & { readonly now: number };

function inputsOf({ informers }: VectorizeDeps, { job, sight, now, settings }: Looking): Inputs {
  const digest = configMapsDigest(job, informers);
  const known = job.status?.lastRun?.inputs;
  const rest = settings.restSeconds * 1000;
  const settledAt = sight.settledAt(keyText(keyOfJob(job)), { digest, known, now, rest });
  return { digest, settledAt, secrets: secretsDigest(job, informers) };
}

/** Both groups have files of the same names. */
const prefixed = (keys: Readonly<Record<string, NeededKey>>): Readonly<Record<string, NeededKey>> =>
  Object.fromEntries(Object.entries(keys).map(([file, key]) => [`source/${file}`, key]));

/** Whether a worker is to be started now. */
function asksTarget(world: World): boolean {
  const { job, jobs } = world;
  if (job.metadata.deletionTimestamp !== undefined || job.spec.suspend === true) return false;
  if (refusalOf(job) !== undefined) return false;
  const run = job.status?.progress?.run;
  return run === undefined ? dueNow(world) !== undefined : !jobs.some((worker) => worker.run === run);
}

function libraryFacts({ informers }: VectorizeDeps, library: DomainLibrary, secrets: SecretLookup): LibraryFacts {
  const { metadata, spec, status } = library;
  const ready = findCondition(status?.conditions ?? [], 'Ready');
  const name = status?.binding?.name;
  const uri = name === undefined ? undefined : secrets(name)?.['uri'];
  const cluster = clusterOf(informers, library);
  const connection = cluster === undefined ? undefined : connectionOf(cluster, secrets);
  return {
    name: metadata.name,
    collection: spec.collection ?? metadata.name,
    ready: ready === undefined ? undefined : { status: ready.status, reason: ready.reason, message: ready.message },
    binding: name === undefined || uri === undefined ? undefined : { name, uri },
    peers: connection?.ok === true ? connection.connection.peers : undefined,
  };
}

function clusterOf(informers: VectorizeDeps['informers'], library: DomainLibrary): QdrantCluster | undefined {
  const name = library.status?.cluster;
  const { namespace = '' } = library.metadata;
  return name === undefined ? undefined : informers.clusters.store.get({ namespace, name });
}

function objectReferences({ informers }: VectorizeDeps, job: VectorizationJob): Reference[] {
  const { namespace } = keyOfJob(job);
  return neededObjects(job).map(({ field, kind, name }) => {
    const cache = kind === 'ConfigMap' ? informers.configMaps : informers.claims;
    const found = cache.store.get({ namespace, name }) !== undefined;
    return { field, kind, name, problem: found ? undefined : 'does not exist' };
  });
}

function keyReferences(keys: Readonly<Record<string, NeededKey>>, secrets: SecretLookup): Reference[] {
  return Object.values(keys).map(({ field, name, key }) => ({
    field,
    kind: 'Secret',
    name,
    problem: keyProblem(secrets(name), key),
  }));
}

function keyProblem(data: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  if (data === undefined) return 'does not exist';
  if (data[key] === undefined) return `has no key ${key}`;
  return data[key].trim() === '' ? `has an empty key ${key}` : undefined;
}

function clusterOfSource(
  { informers }: VectorizeDeps,
  job: VectorizationJob,
  secrets: SecretLookup,
): { readonly sourceCluster: SourceCluster | undefined; readonly problems: readonly Reference[] } {
  const name = job.spec.source.collection?.clusterRef.name;
  if (name === undefined) return { sourceCluster: undefined, problems: [] };
  const found = informers.clusters.store.get({ namespace: keyOfJob(job).namespace, name });
  const connection = found === undefined ? undefined : connectionOf(found, secrets);
  const problem = connection === undefined ? 'does not exist' : connection.ok ? undefined : connection.message;
  const reference: Reference = {
    field: 'spec.source.collection.clusterRef.name',
    kind: 'QdrantCluster',
    name,
    problem,
  };
  return {
    problems: [reference],
    sourceCluster:
      found !== undefined && connection?.ok === true
        ? { peers: connection.connection.peers, ...mountedSecrets(found) }
        : undefined,
  };
}

async function lookAtTarget(
  { informers, pool }: VectorizeDeps,
  library: DomainLibrary,
  { secrets, signal }: { readonly secrets: SecretLookup; readonly signal: AbortSignal },
): Promise<TargetSight> {
  const cluster = clusterOf(informers, library);
  if (cluster === undefined)
    return { kind: 'blind', message: `nobody knows where DomainLibrary ${library.metadata.name} is` };
  const result = connectionOf(cluster, secrets);
  if (!result.ok) return { kind: 'blind', message: `QdrantCluster ${cluster.metadata.name}: ${result.message}` };
  const name = library.spec.collection ?? library.metadata.name;
  try {
    const client = pool.get(`${keyText(keyOf(cluster))} vectorize`, result.connection);
    const { config } = await client.collection(name, { signal });
    return { kind: 'seen', vectors: targetVectors(config.params.vectors) };
  } catch (error) {
    if (!isQdrantError(error)) throw error;
    return { kind: 'blind', message: `collection ${name}: ${error.message}` };
  }
}

const isTrue = ({ status }: Job, type: string) =>
  status?.conditions?.find((condition) => condition.type === type && condition.status === 'True');

function workerJobOf(job: Job, pods: readonly Pod[]): WorkerJob {
  const { name, labels, deletionTimestamp } = job.metadata;
  const common = {
    name,
    run: labels?.[RUN_LABEL] ?? '',
    attempt: Number(labels?.[ATTEMPT_LABEL] ?? 0),
    begun: pods.some(({ status }) => status?.phase === 'Running'),
  };
  if (deletionTimestamp !== undefined) return { ...common, state: 'ending' };
  const ended = isTrue(job, 'Complete') ?? isTrue(job, 'Failed');
  if (ended === undefined) {
    const message = pods.map(obstacleOf).find((found) => found !== undefined);
    return { ...common, state: 'running', ...(message === undefined ? {} : { message }) };
  }
  const endedAt = Date.parse(ended.lastTransitionTime === undefined ? '' : String(ended.lastTransitionTime));
  return {
    ...common,
    state: ended.type === 'Failed' ? 'failed' : 'succeeded',
    ...(Number.isNaN(endedAt) ? {} : { endedAt }),
    ...(ended.type === 'Failed' && ended.message !== undefined ? { message: ended.message } : {}),
  };
}

/** What keeps a pod from beginning, in Kubernetes' words. */
function obstacleOf({ metadata, status }: Pod): string | undefined {
  if (status?.phase !== 'Pending') return undefined;
  const unscheduled = status.conditions?.find(
    ({ type, status: value }) => type === 'PodScheduled' && value === 'False',
  );
  if (unscheduled !== undefined) return `pod ${metadata.name}: ${unscheduled.reason}: ${unscheduled.message}`;
  const waiting = status.containerStatuses?.[0]?.state?.waiting;
  if (waiting?.reason === undefined || waiting.reason === 'ContainerCreating') return undefined;
  return `pod ${metadata.name}: ${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}`;
}

/** What breaks the rules of the API, which an API server without our definitions would let pass. */
export const violationsOf = ({ apiVersion, kind, metadata, spec }: VectorizationJob): readonly string[] =>
  validate({ apiVersion, kind, metadata: { name: metadata.name }, spec }).map(
    ({ field, value, rule }) => `${field}: ${value === undefined ? '' : `${JSON.stringify(value)}: `}${rule}`,
  );

export const keyOfJob = ({ metadata }: VectorizationJob): ObjectKey => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
});
