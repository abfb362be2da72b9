import type { ConfigMap, Job } from '../../kube/index.ts';
import type { ReverseConfig } from '../../migration/index.ts';
import { pageLimit } from '../decide/limits.ts';
import { carrying } from '../decide/projection.ts';
import type { CollectionLook } from '../look.ts';
import { publicName, TASK_LABEL, taskOf } from '../names.ts';
import { type CopyEnd, keyMount, SIDES, sideConfig } from '../objects.ts';
import { shapeOf } from '../shape.ts';
import { type Ordering, removeTasks, startTask } from '../snapshots/act.ts';
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
export function putReverseAway(ordering: Omit<Ordering, 'connection'>): Promise<void> {
  const isOurs = (object: ConfigMap | Job): boolean => taskOf(object) === REVERSE_TASK;
  const { account } = reverseNames(ordering.world.library.metadata.name, 0);
  return removeTasks(ordering, { jobs: isOurs, configMaps: isOurs, accounts: [account] });
}
