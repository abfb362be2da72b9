import { FIELD_MANAGERS, FINALIZER } from '../api/index.ts';
import {
  addFinalizer,
  CONFIG_MAPS,
  type ConfigMap,
  type Expectations,
  JOBS,
  KubeError,
  type ReconcileContext,
  ROLE_BINDINGS,
  ROLES,
  removeFinalizer,
  SERVICE_ACCOUNTS,
} from '../kube/index.ts';
import { MARK_KEY } from '../migration/index.ts';
import type { AliasAction, ClusterClient, PayloadFieldSchema, Schemas } from '../qdrant/index.ts';
import { workersEngine } from './decide/engine.ts';
import { indexNote, noteDigest } from './decide/in-place.ts';
import { pageLimit } from './decide/limits.ts';
import { carrying } from './decide/projection.ts';
import { vectorNote } from './decide/vectors.ts';
import { DOMAIN_LIBRARIES, type LibraryDeps } from './deps.ts';
import { carryOutDiscovery } from './discovery/act.ts';
import type { Reach } from './gather.ts';
import { keyOfLibrary } from './gather.ts';
import { ownedBy } from './indexes.ts';
import { collectionLook } from './look.ts';
import type { LibraryMemory } from './memory.ts';
import { taskOf, workerNames } from './names.ts';
import { copyObjects } from './objects.ts';
import { isDestructive, isQdrantStep, type QdrantStep, type Step } from './plan.ts';
import { servingCollection } from './report.ts';
import { putReverseAway, startReverse } from './reverse/act.ts';
import type { ReverseOrder } from './reverse/orders.ts';
import { shapeOf } from './shape.ts';
import { carryOutOrder } from './snapshots/act.ts';
import { dropLocalFiles } from './snapshots/local-files.ts';
import { placeNamed, seenPlace, type World } from './world.ts';

export type Acting = {
  readonly deps: LibraryDeps;
  readonly context: ReconcileContext;
  readonly memory: LibraryMemory;
  readonly expectations: Expectations;
  readonly world: World;
  /** By name of the QdrantCluster. */
  readonly reaches: ReadonlyMap<string, Reach>;
};

/** Carries out the steps of a plan, in order; the first that fails ends it. At most one of them destroys anything. */
export async function act(acting: Acting, steps: readonly Step[]): Promise<void> {
  if (steps.filter(isDestructive).length > 1) throw new Error('a plan holds more than one destructive step');
  for (const step of steps) {
    acting.context.signal.throwIfAborted();
    acting.context.assertLeading();
    await carryOut(acting, step);
    acting.context.log.info(factsOf(step), 'step done');
  }
}

/** What a log may show of a step: names only. */
const factsOf = (step: Step): Record<string, unknown> => ({
  step: step.kind,
  ...('cluster' in step ? { cluster: step.cluster } : {}),
  ...('collection' in step ? { collection: step.collection } : {}),
  ...('field' in step ? { field: step.field } : {}),
  ...('vector' in step ? { vector: step.vector } : {}),
  ...('aliases' in step ? { aliases: step.aliases } : {}),
  ...('alias' in step ? { alias: step.alias } : {}),
  ...('order' in step ? step.order : {}),
  ...('files' in step ? { snapshots: step.files.names } : {}),
  ...('jobs' in step ? { jobs: step.jobs } : {}),
  ...('attempt' in step ? { attempt: step.attempt, generation: step.generation } : {}),
});

async function carryOut(acting: Acting, step: Step): Promise<void> {
  const { deps, world } = acting;
  const { library } = world;
  const target = { type: DOMAIN_LIBRARIES, object: library };
  if (isQdrantStep(step)) return changeQdrant(acting, step);
  switch (step.kind) {
    case 'addFinalizer': {
      const written = await addFinalizer(deps.kube, target, FINALIZER);
      acting.expectations.wrote(keyOfLibrary(library), deps.informers.libraries, written);
      return;
    }
    case 'removeFinalizer':
      return removeFinalizer(deps.kube, target, FINALIZER);
    case 'startCopy':
      return startCopy(acting, step);
    case 'stopCopy':
      return stopCopy(acting, step.jobs);
    case 'cleanUpCopy':
      return cleanUpCopy(acting);
    case 'snapshot': {
      const { context, expectations } = acting;
      const { connection } = reachOf(acting, undefined);
      const ordering = { deps, expectations, world, connection, signal: context.signal };
      return carryOutOrder(ordering, step.order);
    }
    case 'discover': {
      const { context, expectations } = acting;
      const { connection } = reachOf(acting, undefined);
      const ordering = { deps, expectations, world, connection, signal: context.signal };
      return carryOutDiscovery(ordering, step.order);
    }
    case 'reverse':
      return carryOutReverse(acting, step.order);
  }
}

function carryOutReverse(acting: Acting, order: ReverseOrder): Promise<void> {
  const { deps, context, expectations, world } = acting;
  const ordering = { deps, expectations, world, signal: context.signal };
  if (order.do === 'putAway') return putReverseAway(ordering);
  const serving = servingCollection(world);
  if (serving === undefined) throw new Error('there is no collection that serves');
  const source = copySide(acting, serving.name, undefined);
  return startReverse(ordering, order, { source, target: copySide(acting, order.collection, order.cluster) });
}

/** @throws Error when the cluster was not reached in this pass */
function reachOf({ world, reaches }: Acting, cluster: string | undefined): Reach {
  const name = cluster ?? world.cluster?.metadata.name;
  const reach = name === undefined ? undefined : reaches.get(name);
  if (reach === undefined) throw new Error(`there is no connection to the cluster ${name ?? ''}`.trimEnd());
  return reach;
}

async function changeQdrant(acting: Acting, step: QdrantStep): Promise<void> {
  const { memory, deps, context } = acting;
  const { client } = reachOf(acting, step.cluster);
  const options = { signal: context.signal };
  switch (step.kind) {
    case 'createCollection':
      await client.createCollection(step.collection, step.body as Schemas['CreateCollection'], options);
      return;
    case 'createShardKey':
      await client.createShardKey(step.collection, step.key, {
        ...options,
        ...(step.shards === undefined ? {} : { shardsNumber: step.shards }),
        ...(step.replicas === undefined ? {} : { replicationFactor: step.replicas }),
      });
      return;
    case 'createIndex': {
      memory.sent(indexNote(step.collection, step.field), noteDigest(step.schema), deps.now());
      await client.createPayloadIndex(step.collection, step.field, step.schema as PayloadFieldSchema, options);
      return;
    }
    case 'dropIndex':
      await client.deletePayloadIndex(step.collection, step.field, options);
      return;
    case 'addVector':
      await client.createVector(step.collection, step.vector, step.config, options);
      memory.sent(vectorNote(step.collection, step.vector), noteDigest(step.config), deps.now());
      return;
    case 'patch':
      memory.sent(step.note, noteDigest(step.body), deps.now());
      await client.updateCollection(step.collection, step.body, options);
      return;
    case 'mark':
      await client.updateCollection(step.collection, { metadata: { [MARK_KEY]: step.mark } }, options);
      return;
    case 'fence':
      await client.updateCollection(step.collection, step.body, options);
      return;
    case 'unfence':
      memory.unfenced(deps.now());
      await client.updateCollection(step.collection, step.body, options);
      return;
    case 'pointAliases':
      return pointAliases(client, step, options);
    case 'dropAlias':
      await client.updateAliases([{ delete_alias: { alias_name: step.alias } }], options);
      return;
    case 'dropCollection':
      await client.deleteCollection(step.collection, options);
      return;
    case 'dropLocalFiles':
      return dropLocalFiles({ client, signal: context.signal }, step.files);
  }
}

async function pointAliases(
  client: ClusterClient,
  { collection, aliases }: { readonly collection: string; readonly aliases: readonly string[] },
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const actions = aliases.map(
    (alias): AliasAction => ({ create_alias: { collection_name: collection, alias_name: alias } }),
  );
  await client.updateAliases(actions, options);
}

async function startCopy(acting: Acting, step: Step & { kind: 'startCopy' }): Promise<void> {
  const { deps, world } = acting;
  const { library, settings } = world;
  const source = copySide(acting, step.from, step.fromCluster);
  const target = copySide(acting, step.to, step.toCluster);
  const objects = copyObjects({
    library,
    source,
    target,
    generation: step.generation,
    attempt: step.attempt,
    again: step.again === true,
    engine: step.fromCluster === undefined ? undefined : workersEngine(library.status?.change, world.moveRules?.engine),
    projection: carrying(source.look.observed, target.look.observed).projection,
    verify: step.fromCluster === undefined ? undefined : world.moveRules?.verify,
    maxFreezeSeconds: settings.maxFreezeSeconds,
    pageLimit: pageLimit(source.look, target.look, shapeOf(library.spec)),
    image: settings.workerImage,
    pullSecrets: settings.workerPullSecrets,
    environment: settings.workerEnvironment,
  });
  const options = { fieldManager: FIELD_MANAGERS.objects, signal: acting.context.signal };
  await deps.kube.apply(SERVICE_ACCOUNTS, objects.account, options);
  await deps.kube.apply(ROLES, objects.role, options);
  await deps.kube.apply(ROLE_BINDINGS, objects.roleBinding, options);
  expect(acting, await deps.kube.apply(CONFIG_MAPS, objects.config, options));
  // The progress is the worker's once it exists.
  const progress = await unlessExists(() => deps.kube.create(CONFIG_MAPS, objects.progress, options));
  if (progress !== undefined) expect(acting, progress);
  const job = await unlessExists(() => deps.kube.create(JOBS, objects.job, options));
  if (job !== undefined) acting.expectations.wrote(keyOfLibrary(library), deps.informers.jobs, job);
}

/** @throws Error when the cluster or the collection was not seen in this pass */
function copySide(acting: Acting, collection: string, name: string | undefined) {
  const { world } = acting;
  const place = name === undefined ? undefined : placeNamed(world, name);
  const elsewhere = place === undefined ? undefined : seenPlace(place);
  const home = world.sight.kind === 'seen' ? world.sight.look : undefined;
  const isHome = name === undefined || name === world.cluster?.metadata.name;
  const sight = isHome ? home : elsewhere?.look;
  const cluster = isHome ? world.cluster : elsewhere?.cluster;
  const look = sight === undefined ? undefined : collectionLook(sight, collection);
  if (cluster === undefined || look === undefined) throw new Error(`collection ${collection} is gone`);
  return { cluster, peers: reachOf(acting, name).connection.peers, collection, look };
}

const expect = ({ deps, world, expectations }: Acting, written: ConfigMap): void =>
  expectations.wrote(keyOfLibrary(world.library), deps.informers.configMaps, written);

async function unlessExists<T>(create: () => Promise<T>): Promise<T | undefined> {
  try {
    return await create();
  } catch (error) {
    if (error instanceof KubeError && error.alreadyExists) return undefined;
    throw error;
  }
}

/** In the foreground: the Job is there until its pods are gone, and nothing goes on before. */
async function stopCopy({ deps, world }: Acting, jobs: readonly string[]): Promise<void> {
  const { namespace } = keyOfLibrary(world.library);
  for (const name of jobs) {
    const job = deps.informers.jobs.store.get({ namespace, name });
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) continue;
    const { uid } = job.metadata;
    await deps.kube.delete(
      JOBS,
      { namespace, name },
      { propagationPolicy: 'Foreground', ...(uid === undefined ? {} : { uid }) },
    );
  }
}

async function cleanUpCopy(acting: Acting): Promise<void> {
  const { deps, world, expectations } = acting;
  const { library } = world;
  const { namespace } = keyOfLibrary(library);
  const jobs = ownedBy(library, deps.informers.jobs).filter((job) => taskOf(job) === undefined);
  await stopCopy(
    acting,
    jobs.map(({ metadata }) => metadata.name),
  );
  for (const map of ownedBy(library, deps.informers.configMaps)) {
    if (taskOf(map) !== undefined) continue;
    await deps.kube.delete(CONFIG_MAPS, { namespace, name: map.metadata.name });
    expectations.deleted(keyOfLibrary(library), deps.informers.configMaps, map);
  }
  const key = { namespace, name: workerNames(library.metadata.name, 0).account };
  await deps.kube.delete(ROLE_BINDINGS, key);
  await deps.kube.delete(ROLES, key);
  await deps.kube.delete(SERVICE_ACCOUNTS, key);
}
