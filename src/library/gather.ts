import { type DomainLibrary, type QdrantCluster, validate } from '../api/index.ts';
import { type Job, keyOf, keyText, type ObjectKey } from '../kube/index.ts';
import { PROGRESS_KEY, parseProgress } from '../migration/index.ts';
import {
  type ClusterClient,
  type Connection,
  type ConnectionResult,
  connectionOf,
  type PeerClient,
  reportOf,
  supportedVersion,
} from '../qdrant/index.ts';
import { holderOf } from './decide/active.ts';
import { indexNote } from './decide/in-place.ts';
import { limitsNote } from './decide/limits.ts';
import { clustersBeside, namedCluster, orderedMove, type Placed, place } from './decide/placement.ts';
import { unshown, vectorNote } from './decide/vectors.ts';
import type { LibraryDeps } from './deps.ts';
import { difference } from './diff.ts';
import { discoveryWorld } from './discovery/gather.ts';
import { claimants, livingOn, ownedBy } from './indexes.ts';
import { earlierKey, lookWithKeys } from './keys.ts';
import { type CollectionLook, collectionLook, type Look, peersOfUnknownVersion } from './look.ts';
import type { LibraryMemory } from './memory.ts';
import { attemptOf, bindingName, jobName, publicName, taskOf, workerNames } from './names.ts';
import { type CommonAnswers, observe } from './observe.ts';
import { generationsOf } from './plan.ts';
import { reverseWorld } from './reverse/gather.ts';
import { secretLookup } from './secrets.ts';
import { type Shape, shapeOf } from './shape.ts';
import type { SharedLooks } from './shared-looks.ts';
import { snapshotWorld } from './snapshots/gather.ts';
import type { Blind, CopyJob, LibrarySettings, MoveRules, Place, Rival, Sight, TaskJob, World } from './world.ts';

/** How the cluster was reached: for acting, not for deciding. */
export type Reach = { readonly client: ClusterClient; readonly connection: Connection };
export type Gathered = {
  readonly world: World;
  /** Of the library's own cluster. */
  readonly reach: Reach | undefined;
  /** Of every cluster that was reached, by name. */
  readonly reaches: ReadonlyMap<string, Reach>;
  readonly placed: Placed;
};

export type GatherOptions = {
  readonly library: DomainLibrary;
  readonly memory: LibraryMemory;
  readonly settings: LibrarySettings;
  readonly signal: AbortSignal;
  readonly looks: SharedLooks<PeerClient, CommonAnswers>;
  /** Asks every peer everything, whatever others have just seen. */
  readonly fresh: boolean;
};

/** Reads the world: caches of Kubernetes objects, and every peer's view of the library's collections. */
export async function gather(deps: LibraryDeps, options: GatherOptions): Promise<Gathered> {
  const { library, memory, settings } = options;
  const clusters = clustersFor(deps, library);
  const placed = place(library, clusters);
  const cluster = clusters.find(({ metadata }) => metadata.name === placed.name);
  const [{ sight, reach }, beside] = await Promise.all([
    cluster === undefined || placed.problem !== undefined
      ? { sight: blindTo(placed), reach: undefined }
      : look(deps, { ...options, cluster }),
    Promise.all(clustersBeside(library).map((name) => placeBeside(deps, name, options))),
  ]);
  const now = deps.now();
  const places = beside.map(({ place: other }) => other);
  remember(memory, { library, seen: [{ cluster, sight }, ...places], now });
  const copying = copies(deps, library);
  const { holder } = copying.progress ?? {};
  memory.sawWorker(holder === undefined ? undefined : `${holder.id}/${holder.beat}`, now);
  const moveRules = rulesOf(deps, library);
  const world: World = {
    now,
    library,
    cluster,
    sight,
    rivals: cluster === undefined ? [] : rivals(deps, library, cluster),
    places,
    moveRules,
    ...copying,
    snapshots: snapshotWorld(deps, library),
    discovery: discoveryWorld(deps, library),
    reverse: reverseWorld(deps, library),
    memory: memory.snapshot,
    settings: { ...settings, maxFreezeSeconds: freezeOf(moveRules, settings) },
  };
  const reaches = new Map(
    [
      { name: cluster?.metadata.name, reach },
      ...beside.map(({ place: { name }, reach: way }) => ({ name, reach: way })),
    ].flatMap(({ name, reach: way }) => (name === undefined || way === undefined ? [] : [[name, way] as const])),
  );
  return { world, reach, reaches, placed };
}

/** Beyond this the fence's limiters hand out tokens again before the switch is over. */
const LONGEST_FREEZE_SECONDS = 45;

const freezeOf = (rules: MoveRules | undefined, { maxFreezeSeconds }: LibrarySettings): number =>
  Math.min(LONGEST_FREEZE_SECONDS, rules?.maxFreezeSeconds ?? maxFreezeSeconds);

/** Of the policy that ordered the move that runs, or the one that orders one now. */
function rulesOf({ informers }: LibraryDeps, library: DomainLibrary): MoveRules | undefined {
  const name = library.status?.change?.policy ?? orderedMove(library)?.policy;
  const { namespace = '' } = library.metadata;
  return name === undefined ? undefined : informers.policies.store.get({ namespace, name })?.spec.migration;
}

async function placeBeside(
  deps: LibraryDeps,
  name: string,
  options: GatherOptions,
): Promise<{ readonly place: Place; readonly reach: Reach | undefined }> {
  const { library } = options;
  const { clusters, libraries } = deps.informers;
  const cluster = clusters.store.get({ namespace: library.metadata.namespace ?? '', name });
  if (cluster === undefined) {
    const sight: Blind = { kind: 'blind', reason: 'ClusterNotFound', message: `QdrantCluster ${name} does not exist` };
    return { place: { name, cluster, sight, rivals: [], vectorsBytes: 0 }, reach: undefined };
  }
  const { sight, reach } = await look(deps, { ...options, cluster });
  const vectorsBytes = livingOn(libraries, cluster)
    .filter(({ metadata, status }) => status?.cluster === name && metadata.uid !== library.metadata.uid)
    .reduce((sum, { status }) => sum + (status?.vectorsBytes ?? 0), 0);
  return { place: { name, cluster, sight, rivals: rivals(deps, library, cluster), vectorsBytes }, reach };
}

function clustersFor({ informers }: LibraryDeps, library: DomainLibrary): QdrantCluster[] {
  const { store } = informers.clusters;
  const { namespace = '' } = library.metadata;
  const name = namedCluster(library);
  if (name === undefined) return store.list(namespace);
  const cluster = store.get({ namespace, name });
  return cluster === undefined ? [] : [cluster];
}

const blindTo = ({ problem }: Placed): Blind => ({
  kind: 'blind',
  reason: problem?.reason ?? 'ClusterNotFound',
  message: problem?.message ?? 'there is no such QdrantCluster',
});

type Looking = Omit<GatherOptions, 'settings'> & { readonly cluster: QdrantCluster };

async function look(
  deps: LibraryDeps,
  { library, cluster, memory, signal, looks, fresh }: Looking,
): Promise<{ sight: Sight; reach: Reach | undefined }> {
  const managed = cluster.spec.external === undefined;
  if (managed && cluster.status?.founded === undefined) {
    return blind('ClusterNotReady', `QdrantCluster ${cluster.metadata.name} has not been founded yet`);
  }
  const namespace = cluster.metadata.namespace ?? '';
  const result = wayTo(deps, { library, cluster, memory });
  if (!result.ok) return blind(result.reason, `QdrantCluster ${cluster.metadata.name}: ${result.message}`);
  const name = keyText(keyOf(cluster));
  const current = result.connection.apiKey;
  const reachBy = (apiKey: string | undefined): Reach => {
    const connection = apiKey === undefined ? result.connection : { ...result.connection, apiKey };
    return { client: deps.pool.get(apiKey === current ? name : `${name} earlier`, connection), connection };
  };
  const ask = (apiKey: string | undefined) =>
    observe(reachBy(apiKey).client, {
      collection: publicName(library),
      also: generationsOf(library.status).map(({ collection }) => collection),
      everyPeerListed: managed || result.connection.peers.length > 1,
      signal,
      common: (peer, asking) => looks.of({ cluster: name, peer, ask: asking, signal, fresh }),
    });
  const binding = deps.informers.secrets.store.get({ namespace, name: bindingName(library.metadata.name) });
  const home = cluster.metadata.name === (library.status?.cluster ?? cluster.metadata.name);
  const accepted = memory.accepted.get(name);
  const earlier = managed ? earlierKey(library, { accepted, binding: home ? binding : undefined }) : undefined;
  const { look: seen, apiKey } = await lookWithKeys(ask, { current, earlier });
  if (managed && seen.peers.length > 0) memory.accepted.set(name, apiKey);
  const reach = reachBy(apiKey);
  memory.connections.set(name, reach.connection);
  return { sight: judge(await withReport(seen, reach.client, { library, cluster, signal })), reach };
}

/** Members that can't be asked one by one matter where a vector is to be added: the one peer is asked about them. */
async function withReport(
  seen: Look,
  client: ClusterClient,
  { library, cluster, signal }: Pick<Looking, 'library' | 'cluster' | 'signal'>,
): Promise<Look> {
  const [only] = seen.peers;
  if (seen.everyPeerListed || only === undefined || peersOfUnknownVersion(seen).length === 0) return seen;
  const holder = holderOf(library, seen);
  if (holder.kind !== 'ours') return seen;
  const shape = shapeOf(library.spec, cluster.spec.limits);
  if (difference(shape, holder.collection.observed).newVectors.length === 0) return seen;
  const report = await reportOf(client.peer(only.name), { signal });
  return report === undefined ? seen : { ...seen, reported: report.members };
}

/** A namespace that is deleted loses the key of an external cluster before the library there is put away. */
function wayTo(
  deps: LibraryDeps,
  { library, cluster, memory }: Pick<Looking, 'library' | 'cluster' | 'memory'>,
): ConnectionResult {
  const result = connectionOf(cluster, secretLookup(deps.informers.secrets.store, cluster.metadata.namespace ?? ''));
  const last = memory.connections.get(keyText(keyOf(cluster)));
  const putAway = library.metadata.deletionTimestamp !== undefined && cluster.spec.external !== undefined;
  return result.ok || last === undefined || !putAway ? result : { ok: true, connection: last, key: '' };
}

const blind = (reason: Blind['reason'], message: string) => ({
  sight: { kind: 'blind', reason, message } as const,
  reach: undefined,
});

const REFUSED: readonly (string | undefined)[] = ['Unauthorized', 'Forbidden'];

function judge(seen: Look): Sight {
  const refusing = seen.silent.find(({ code }) => REFUSED.includes(code));
  // One peer of several may lag behind a key's rotation; the steps that need all of them wait for it.
  if (refusing !== undefined && seen.peers.length === 0)
    return { kind: 'blind', reason: 'Unauthorized', message: refusing.error };
  const [silent] = seen.silent;
  if (silent !== undefined && silent.status !== undefined && silent.status !== 0 && seen.peers.length === 0) {
    return { kind: 'blind', reason: 'QdrantFailed', message: silent.error };
  }
  if (seen.peers.length === 0) {
    return { kind: 'blind', reason: 'Unreachable', message: `no peer answers: ${silent?.error ?? 'there is none'}` };
  }
  const old = seen.peers
    .map(({ version }) => supportedVersion(version))
    .find(({ kind }) => kind === 'older' || kind === 'unreadable');
  if (old !== undefined && 'message' in old)
    return { kind: 'blind', reason: 'VersionNotSupported', message: old.message };
  return { kind: 'seen', look: seen };
}

/** Since when collections are green, and which changes still don't read back. */
function remember(
  memory: LibraryMemory,
  { library, seen, now }: { library: DomainLibrary; seen: readonly Pick<Place, 'cluster' | 'sight'>[]; now: number },
): void {
  const notes = new Set<string>();
  for (const { cluster, sight } of seen) {
    if (sight.kind === 'blind' || cluster === undefined) continue;
    const shape = shapeOf(library.spec, cluster.spec.limits);
    for (const name of new Set(sight.look.peers.flatMap(({ own }) => Object.keys(own)))) {
      const collection = collectionLook(sight.look, name);
      if (collection === undefined) continue;
      memory.sawStatus(name, collection.status === 'green', now);
      for (const note of unreflected(collection, shape)) notes.add(note);
    }
  }
  // What was sent to a target that can't be seen now is not forgotten for that.
  const target = library.status?.change?.toCluster;
  const hidden = seen.some(({ cluster, sight }) => sight.kind === 'blind' && cluster?.metadata.name === target);
  if (seen[0]?.sight.kind === 'seen' && !hidden) memory.keepOnly(notes);
}

/** Under which notes a collection doesn't show yet what may have been sent. */
export function unreflected(collection: CollectionLook, shape: Shape): string[] {
  const { patch, createIndexes } = difference(shape, collection.observed);
  const { name, mark } = collection;
  return [
    ...(patch === undefined ? [] : [name]),
    ...(mark?.limits === undefined ? [] : [limitsNote(name)]),
    ...createIndexes.map(({ field }) => indexNote(name, field)),
    ...unshown(shape, collection).map((vector) => vectorNote(name, vector.name)),
  ];
}

/** Libraries that want the same collection and are older: by creation, then by uid. */
function rivals(deps: LibraryDeps, library: DomainLibrary, cluster: QdrantCluster): Rival[] {
  const { uid = '', creationTimestamp: createdAt = '' } = library.metadata;
  return claimants(deps.informers.libraries, library)
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .filter((other) => place(other, clustersFor(deps, other)).name === cluster.metadata.name)
    .map(({ metadata }) => ({
      name: metadata.name,
      uid: metadata.uid ?? '',
      createdAt: metadata.creationTimestamp ?? '',
    }))
    .filter((other) => other.createdAt < createdAt || (other.createdAt === createdAt && other.uid < uid));
}

function copies(
  { informers }: LibraryDeps,
  library: DomainLibrary,
): Pick<World, 'job' | 'otherJobs' | 'tasks' | 'progress' | 'leftovers'> {
  const change = library.status?.change;
  const owned = ownedBy(library, informers.jobs);
  const jobs = owned.filter((job) => taskOf(job) === undefined);
  const current = jobs
    .filter(
      ({ metadata }) =>
        change !== undefined && metadata.name === jobName(library.metadata.name, change.to, attemptOf(metadata.name)),
    )
    .toSorted((a, b) => attemptOf(b.metadata.name) - attemptOf(a.metadata.name));
  const latest = current.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const others = jobs.filter((job) => job !== latest && isAlive(job)).map(({ metadata }) => metadata.name);
  const maps = ownedBy(library, informers.configMaps).filter((map) => taskOf(map) === undefined);
  const names = change === undefined ? undefined : workerNames(library.metadata.name, change.to);
  const progress = maps.find(({ metadata }) => metadata.name === names?.progress);
  const needed = new Set([names?.progress, names?.config]);
  return {
    job: latest === undefined ? undefined : copyJobOf(latest),
    otherJobs: others,
    tasks: owned.flatMap((job) => taskJobOf(job) ?? []),
    progress: parseProgress(progress?.data?.[PROGRESS_KEY]),
    leftovers: change === undefined && (jobs.length > 0 || maps.some(({ metadata }) => !needed.has(metadata.name))),
  };
}

const hasCondition = ({ status }: Job, type: string): boolean =>
  status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') === true;

const isOver = (job: Job): boolean => hasCondition(job, 'Complete') || hasCondition(job, 'Failed');

/** Whether a pod of it may still run. */
const isAlive = (job: Job): boolean =>
  !isOver(job) ||
  (job.status?.active ?? 0) > 0 ||
  (job.status?.terminating ?? 0) > 0 ||
  job.metadata.deletionTimestamp !== undefined;

function taskJobOf(job: Job): TaskJob | undefined {
  const task = taskOf(job);
  return task === undefined ? undefined : { ...copyJobOf(job), task, alive: isAlive(job) };
}

function copyJobOf(job: Job): CopyJob {
  const { name } = job.metadata;
  const attempt = attemptOf(name);
  const ended = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Failed' || type === 'Complete') && status === 'True',
  );
  if (ended === undefined) return { name, attempt, state: 'running' };
  const endedAt = Date.parse(ended.lastTransitionTime ?? '');
  return {
    name,
    attempt,
    state: ended.type === 'Failed' ? 'failed' : 'succeeded',
    ...(Number.isNaN(endedAt) ? {} : { endedAt }),
  };
}

/** What breaks the rules of the API, which an API server without our definitions would let pass. */
export function violationsOf(library: DomainLibrary, memory: LibraryMemory): readonly string[] {
  const { apiVersion, kind, metadata, spec } = library;
  const { generation } = metadata;
  if (memory.violations === undefined || memory.violations.generation !== generation) {
    const found = validate({ apiVersion, kind, metadata: { name: metadata.name }, spec }).map(
      ({ field, value, rule }) => `${field}: ${value === undefined ? '' : `${JSON.stringify(value)}: `}${rule}`,
    );
    memory.violations = { generation, found };
  }
  return memory.violations.found;
}

export const keyOfLibrary = ({ metadata }: DomainLibrary): ObjectKey => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
});
