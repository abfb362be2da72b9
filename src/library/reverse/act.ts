import { CONFIG_MAPS, JOBS, ROLE_BINDINGS, ROLES, SERVICE_ACCOUNTS } from '../../kube/index.ts';
import type { ReverseConfig } from '../../migration/index.ts';
import { pageLimit } from '../decide/limits.ts';
import { carrying } from '../decide/projection.ts';
import { ownedBy } from '../indexes.ts';
import type { CollectionLook } from '../look.ts';
import { publicName, TASK_LABEL, taskOf } from '../names.ts';
import { type CopyEnd, keyMount, SIDES, sideConfig } from '../objects.ts';
import { shapeOf } from '../shape.ts';
import { type Ordering, startTask } from '../snapshots/act.ts';
import { taskJobName } from '../snapshots/names.ts';
import { REVERSE_TASK, reverseJobPrefix, reverseNames } from './names.ts';
import type { ReverseOrder } from './orders.ts';

const LEASE_SECONDS = 20;
const LANES = 2;
const PAGE_SIZE = 256;

/** What serves, and what was left. */
export type ReverseEnds = Readonly<Record<(typeof SIDES)[number], CopyEnd & { readonly look: CollectionLook }>>;

/** Begins a run. */
export async function startReverse(
  ordering: Omit<Ordering, 'connection'>,
  order: ReverseOrder & { readonly do: 'run' },
  ends: ReverseEnds,
): Promise<void> {
  const { library } = ordering.world;
  const { name, namespace = '', uid } = library.metadata;
  const names = reverseNames(name, order.generation);
  const { projection } = carrying(ends.source.look.observed, ends.target.look.observed);
  const limit = pageLimit(ends.source.look, ends.target.look, shapeOf(library.spec));
  const config: ReverseConfig = {
    version: 1,
    task: REVERSE_TASK,
    change: `${uid}/${order.run}`,
    alias: publicName(library),
    progress: { namespace, name: names.progress },
    source: sideConfig(ends.source),
    target: sideConfig(ends.target),
    projection: {
      vectors: Object.fromEntries(Object.entries(projection.vectors).map(([vector, rule]) => [vector, { ...rule }])),
      keepShardKeys: projection.keepShardKeys,
    },
    write: order.write,
    removalPercent: order.removalPercent,
    leaseSeconds: LEASE_SECONDS,
    lanes: LANES,
    pageSize: Math.min(PAGE_SIZE, limit ?? PAGE_SIZE),
  };
  await startTask(ordering, {
    config,
    names,
    job: taskJobName(reverseJobPrefix(name, order.run), order.attempt),
    labels: { [TASK_LABEL]: REVERSE_TASK },
    mounts: SIDES.flatMap((side) => keyMount(side, ends[side].cluster)),
  });
}

/** Deletes what runs have left. */
export async function putReverseAway({ deps, world, expectations }: Omit<Ordering, 'connection'>): Promise<void> {
  const { library } = world;
  const key = { namespace: library.metadata.namespace ?? '', name: library.metadata.name };
  for (const job of ownedBy(library, deps.informers.jobs)) {
    if (taskOf(job) !== REVERSE_TASK || job.metadata.deletionTimestamp !== undefined) continue;
    const name = { namespace: key.namespace, name: job.metadata.name };
    await deps.kube.delete(JOBS, name, { propagationPolicy: 'Background' });
    expectations.deleted(key, deps.informers.jobs, job);
  }
  for (const map of ownedBy(library, deps.informers.configMaps)) {
    if (taskOf(map) !== REVERSE_TASK) continue;
    await deps.kube.delete(CONFIG_MAPS, { namespace: key.namespace, name: map.metadata.name });
    expectations.deleted(key, deps.informers.configMaps, map);
  }
  const account = { namespace: key.namespace, name: reverseNames(key.name, 0).account };
  await deps.kube.delete(ROLE_BINDINGS, account);
  await deps.kube.delete(ROLES, account);
  await deps.kube.delete(SERVICE_ACCOUNTS, account);
}
