import { createHash } from 'node:crypto';
import { FIELD_MANAGERS } from '../../api/index.ts';
import {
  CONFIG_MAPS,
  type ConfigMap,
  type Expectations,
  JOBS,
  type Job,
  KubeError,
  ROLE_BINDINGS,
  ROLES,
  SERVICE_ACCOUNTS,
} from '../../kube/index.ts';
import type { Connection } from '../../qdrant/index.ts';
import { holderOf } from '../decide/active.ts';
import { withoutFence } from '../decide/fence.ts';
import { markOf } from '../decide/first-generation.ts';
import { limitsInMark, limitsOf, pageLimit } from '../decide/limits.ts';
import type { LibraryDeps } from '../deps.ts';
import { ownedBy } from '../indexes.ts';
import type { CollectionLook } from '../look.ts';
import { generationName, publicName, TASK_LABEL, taskOf } from '../names.ts';
import { mountedSecrets } from '../secrets.ts';
import { shapeOf } from '../shape.ts';
import type { World } from '../world.ts';
import { destinationOf, placeOf } from './destination.ts';
import { GENERATION_LABEL, SNAPSHOT_LABEL } from './gather.ts';
import type { BucketPlace } from './manifest.ts';
import {
  NONCE_ANNOTATION,
  RESTORE_TASK,
  restoreJobPrefix,
  restoreTaskNames,
  SCHEDULED_ANNOTATION,
  SNAPSHOT_TASK,
  snapshotJobPrefix,
  snapshotTaskNames,
  TIDY,
  taskJobName,
  tidyJobPrefix,
  tidyTaskNames,
} from './names.ts';
import { snapshotMap, type TaskObjects, taskObjects } from './objects.ts';
import type { Dropped, SnapshotOrder } from './orders.ts';
import type { BucketConfig, TaskConfig } from './task-config.ts';
import { manifestsOf } from './world.ts';

export type Ordering = {
  readonly deps: LibraryDeps;
  readonly expectations: Expectations;
  readonly world: World;
  readonly connection: Connection | undefined;
  readonly signal: AbortSignal;
};

const LEASE_SECONDS = 20;
const PAGE_SIZE = 512;

/** Carries out one order about snapshots or restores. */
export function carryOutOrder(ordering: Ordering, order: SnapshotOrder): Promise<void> {
  switch (order.do) {
    case 'begin':
      return begin(ordering, order);
    case 'make':
      return make(ordering, order);
    case 'tidy':
      return tidy(ordering, order);
    case 'restore':
      return restore(ordering, order);
    case 'putAway':
      return putAway(ordering, order);
    case 'forget':
      return forget(ordering, order.names);
  }
}

const keyOf = ({ library }: World) => ({ namespace: library.metadata.namespace ?? '', name: library.metadata.name });

async function begin({ deps, world, expectations, signal }: Ordering, order: SnapshotOrder & { do: 'begin' }) {
  const { name, nonce, scheduledFor } = order;
  const map = snapshotMap(world.library, name, {
    ...(nonce === undefined ? {} : { [NONCE_ANNOTATION]: nonce }),
    ...(scheduledFor === undefined ? {} : { [SCHEDULED_ANNOTATION]: new Date(scheduledFor).toISOString() }),
  });
  const written = await deps.kube.create(CONFIG_MAPS, map, { fieldManager: FIELD_MANAGERS.objects, signal });
  expectations.wrote(keyOf(world), deps.informers.configMaps, written);
}

async function make(ordering: Ordering, { name, attempt, drop }: SnapshotOrder & { do: 'make' }): Promise<void> {
  const { world } = ordering;
  const { library } = world;
  const { collection, cluster } = seen(world);
  const names = snapshotTaskNames(library.metadata.name, name);
  const config: TaskConfig = {
    ...commonConfig(ordering, {
      collection: collection.name,
      change: name,
      progress: names.progress,
      from: collection,
    }),
    ...bucketOf(world, placeOf(destinationOf(library))),
    task: SNAPSHOT_TASK,
    make: {
      name,
      cluster: cluster.metadata.name,
      alias: publicName(library),
      generation: collection.mark?.generation ?? 0,
      attempt,
    },
    drop: dropConfig(drop),
  };
  await startTask(ordering, {
    config,
    names,
    job: taskJobName(snapshotJobPrefix(library.metadata.name, name), attempt),
    labels: { [TASK_LABEL]: SNAPSHOT_TASK, [SNAPSHOT_LABEL]: name },
  });
}

const dropConfig = (drop: readonly Dropped[]) =>
  drop.map(({ name, parts }) => ({ name, ...(parts === undefined ? {} : { parts: [...parts] }) }));

async function tidy(ordering: Ordering, { attempt, drop }: SnapshotOrder & { do: 'tidy' }): Promise<void> {
  const { world } = ordering;
  const { library } = world;
  const { collection } = seen(world);
  const names = tidyTaskNames(library.metadata.name);
  // What others have dropped is not what this one is to drop.
  const change = createHash('sha256')
    .update(drop.map(({ name }) => name).join(' '))
    .digest('hex')
    .slice(0, 12);
  const config: TaskConfig = {
    ...commonConfig(ordering, {
      collection: collection.name,
      change: `${TIDY} ${change}`,
      progress: names.progress,
      from: collection,
    }),
    ...bucketOf(world, placeOf(destinationOf(library))),
    task: SNAPSHOT_TASK,
    drop: dropConfig(drop),
  };
  await startTask(ordering, {
    config,
    names,
    job: taskJobName(tidyJobPrefix(library.metadata.name), attempt),
    labels: { [TASK_LABEL]: SNAPSHOT_TASK, [SNAPSHOT_LABEL]: TIDY },
  });
}

async function restore(ordering: Ordering, order: SnapshotOrder & { do: 'restore' }): Promise<void> {
  const { world } = ordering;
  const { library } = world;
  const { generation, name, attempt } = order;
  const { collection: live, cluster } = seen(world, true);
  const manifest = manifestsOf(world.snapshots).find((each) => each.name === name);
  const place = manifest === undefined ? placeOf(destinationOf(library)) : manifest.bucket;
  const names = restoreTaskNames(library.metadata.name, generation);
  const shape = shapeOf(library.spec, cluster.spec.limits);
  const factor = (field: string): number => {
    const wanted = shape.params[field] ?? (live === undefined ? undefined : withoutFence(live).params[field]);
    return typeof wanted === 'number' ? wanted : 1;
  };
  const collection = generationName(publicName(library), generation);
  const indexes = Object.keys(shape.indexes).toSorted();
  const config: TaskConfig = {
    ...commonConfig(ordering, { collection, change: `${name}/${generation}`, progress: names.progress, from: live }),
    ...bucketOf(world, place),
    task: RESTORE_TASK,
    name,
    mark: {
      ...markOf({ library }, generation),
      ...(indexes.length === 0 ? {} : { indexes }),
      ...(live === undefined ? {} : limitsInMark(limitsOf(live))),
    },
    ...(manifest === undefined ? {} : { manifest }),
    replicationFactor: factor('replication_factor'),
    writeConsistencyFactor: factor('write_consistency_factor'),
  };
  await startTask(ordering, {
    config,
    names,
    job: taskJobName(restoreJobPrefix(library.metadata.name, generation), attempt),
    labels: { [TASK_LABEL]: RESTORE_TASK, [GENERATION_LABEL]: String(generation) },
  });
}

/** The cluster, and the collection that serves. */
function seen(world: World): { readonly cluster: NonNullable<World['cluster']>; readonly collection: CollectionLook };
function seen(
  world: World,
  maybeNone: true,
): { readonly cluster: NonNullable<World['cluster']>; readonly collection: CollectionLook | undefined };
function seen({ library, cluster, sight }: World, maybeNone?: true) {
  if (cluster === undefined || sight.kind !== 'seen') throw new Error('there is no connection to the cluster');
  const holder = holderOf(library, sight.look);
  const collection = holder.kind === 'ours' ? holder.collection : undefined;
  if (collection === undefined && maybeNone !== true) throw new Error('there is no collection that serves');
  return { cluster, collection };
}

type Common = { collection: string; change: string; progress: string; from: CollectionLook | undefined };

/** What every task's configuration has. */
export function commonConfig({ world, connection }: Ordering, { collection, change, progress, from }: Common) {
  const { library, cluster } = world;
  if (cluster === undefined || connection === undefined) throw new Error('there is no connection to the cluster');
  const { apiKey, ca } = mountedSecrets(cluster);
  const { namespace, name } = keyOf(world);
  const limit = from === undefined ? undefined : pageLimit(from, from, shapeOf(library.spec));
  return {
    version: 1,
    change: `${library.metadata.uid}/${change}`,
    progress: { namespace, name: progress },
    leaseSeconds: LEASE_SECONDS,
    pageSize: Math.min(PAGE_SIZE, limit ?? PAGE_SIZE),
    library: { namespace, name, uid: library.metadata.uid ?? '' },
    side: {
      collection,
      peers: connection.peers.map(({ name: peer, rest, grpc }) => ({
        name: peer,
        rest,
        ...(grpc === undefined ? {} : { grpc }),
      })),
      apiKey: apiKey !== undefined,
      ca: ca !== undefined,
    },
  } as const;
}

const bucketOf = ({ library }: World, place: BucketPlace | undefined): { readonly bucket?: BucketConfig } =>
  place === undefined
    ? {}
    : { bucket: { ...place, credentials: destinationOf(library).s3?.credentialsSecretRef !== undefined } };

type Starting = Pick<Parameters<typeof taskObjects>[0], 'config' | 'names' | 'job' | 'labels' | 'mounts'>;

/** Makes the objects of one attempt of a task; a progress or Job that is there already stays. */
export async function startTask(
  { deps, world, expectations, signal }: Omit<Ordering, 'connection'>,
  starting: Starting,
): Promise<void> {
  const { library, cluster, settings } = world;
  if (cluster === undefined) throw new Error('there is no cluster');
  const objects: TaskObjects = taskObjects({
    ...starting,
    library,
    cluster,
    image: settings.workerImage,
    pullSecrets: settings.workerPullSecrets,
    environment: settings.workerEnvironment,
  });
  const options = { fieldManager: FIELD_MANAGERS.objects, signal };
  const expect = (written: ConfigMap): void => expectations.wrote(keyOf(world), deps.informers.configMaps, written);
  await deps.kube.apply(SERVICE_ACCOUNTS, objects.account, options);
  await deps.kube.apply(ROLES, objects.role, options);
  await deps.kube.apply(ROLE_BINDINGS, objects.roleBinding, options);
  expect(await deps.kube.apply(CONFIG_MAPS, objects.config, options));
  const progress = await unlessExists(() => deps.kube.create(CONFIG_MAPS, objects.progress, options));
  if (progress !== undefined) expect(progress);
  await removeEarlier({ deps, world, expectations, signal }, objects.job);
  const job = await unlessExists(() => deps.kube.create(JOBS, objects.job, options));
  if (job !== undefined) expectations.wrote(keyOf(world), deps.informers.jobs, job);
}

/** Attempts before: nothing of them runs any more, and one that fails for days would leave a Job each time. */
async function removeEarlier({ deps, world, expectations }: Omit<Ordering, 'connection'>, job: Job): Promise<void> {
  const { namespace } = keyOf(world);
  const prefix = job.metadata.name.replace(/\d+$/, '');
  for (const earlier of ownedBy(world.library, deps.informers.jobs)) {
    const { name, deletionTimestamp } = earlier.metadata;
    if (taskOf(earlier) !== taskOf(job) || !name.startsWith(prefix) || name === job.metadata.name) continue;
    if (deletionTimestamp !== undefined) continue;
    await deps.kube.delete(JOBS, { namespace, name }, { propagationPolicy: 'Background' });
    expectations.deleted(keyOf(world), deps.informers.jobs, earlier);
  }
}

async function unlessExists<T>(create: () => Promise<T>): Promise<T | undefined> {
  try {
    return await create();
  } catch (error) {
    if (error instanceof KubeError && error.alreadyExists) return undefined;
    throw error;
  }
}

function putAway(ordering: Ordering, { snapshots, restores }: SnapshotOrder & { do: 'putAway' }): Promise<void> {
  const { name } = keyOf(ordering.world);
  const isOver = (object: ConfigMap | Job): boolean => {
    const labels = object.metadata.labels ?? {};
    const task = taskOf(object);
    if (task === SNAPSHOT_TASK) return snapshots.includes(labels[SNAPSHOT_LABEL] ?? '');
    return task === RESTORE_TASK && restores.includes(Number(labels[GENERATION_LABEL] ?? 0));
  };
  const accounts = [
    ...(snapshots.length > 0 ? [snapshotTaskNames(name, '').account] : []),
    ...(restores.length > 0 ? [restoreTaskNames(name, 0).account] : []),
  ];
  return removeTasks(ordering, { jobs: isOver, configMaps: isOver, accounts });
}

type Removal = {
  readonly jobs: (job: Job) => boolean;
  readonly configMaps: (map: ConfigMap) => boolean;
  /** Names of the accounts that they ran as, with their rights. */
  readonly accounts: readonly string[];
};

/** Deletes what tasks have left, the rights last. */
export async function removeTasks(
  { deps, world, expectations }: Omit<Ordering, 'connection'>,
  { jobs, configMaps, accounts }: Removal,
): Promise<void> {
  const { library } = world;
  const { namespace } = keyOf(world);
  for (const job of ownedBy(library, deps.informers.jobs).filter(jobs)) {
    if (job.metadata.deletionTimestamp !== undefined) continue;
    await deps.kube.delete(JOBS, { namespace, name: job.metadata.name }, { propagationPolicy: 'Background' });
    expectations.deleted(keyOf(world), deps.informers.jobs, job);
  }
  for (const map of ownedBy(library, deps.informers.configMaps).filter(configMaps)) {
    await deps.kube.delete(CONFIG_MAPS, { namespace, name: map.metadata.name });
    expectations.deleted(keyOf(world), deps.informers.configMaps, map);
  }
  for (const account of accounts) {
    const key = { namespace, name: account };
    await deps.kube.delete(ROLE_BINDINGS, key);
    await deps.kube.delete(ROLES, key);
    await deps.kube.delete(SERVICE_ACCOUNTS, key);
  }
}

async function forget({ deps, world, expectations }: Ordering, names: readonly string[]): Promise<void> {
  const { namespace } = keyOf(world);
  for (const name of names) {
    const map = deps.informers.configMaps.store.get({ namespace, name });
    if (map === undefined) continue;
    await deps.kube.delete(CONFIG_MAPS, { namespace, name });
    expectations.deleted(keyOf(world), deps.informers.configMaps, map);
  }
}
