import { createHash } from 'node:crypto';
import type { ConfigMap, Job } from '../../kube/index.ts';
import { pageLimit } from '../decide/limits.ts';
import { TASK_LABEL, taskOf } from '../names.ts';
import { servingCollection } from '../report.ts';
import { shapeOf } from '../shape.ts';
import { commonConfig, type Ordering, removeTasks, startTask } from '../snapshots/act.ts';
import { ROLE_LABEL, taskJobName } from '../snapshots/names.ts';
import type { DiscoveryConfig } from './config.ts';
import { changeId } from './decide.ts';
import { DISCOVER_TASK, discoveryJobPrefix, discoveryNames } from './objects.ts';
import type { DiscoveryOrder } from './orders.ts';
import { settingsOf } from './wanted.ts';

const PAGE_SIZE = 5000;

/** Carries out one order about discovery. */
export async function carryOutDiscovery(ordering: Ordering, order: DiscoveryOrder): Promise<void> {
  return order.do === 'run' ? run(ordering, order) : putAway(ordering);
}

async function run(ordering: Ordering, order: DiscoveryOrder & { do: 'run' }): Promise<void> {
  const { world } = ordering;
  const { library } = world;
  const { change, attempt, vector } = order;
  const collection = servingCollection(world);
  if (collection === undefined) throw new Error('there is no collection that serves');
  const { name, uid } = library.metadata;
  const names = discoveryNames(name);
  const { sampleSize, maxDomains, minSharePercent } = settingsOf(library);
  const limit = pageLimit(collection, collection, shapeOf(library.spec));
  const others = Object.keys(collection.observed.vectors).filter((other) => other !== vector);
  const config: DiscoveryConfig = {
    ...commonConfig(ordering, { collection: collection.name, change, progress: names.progress, from: collection }),
    task: DISCOVER_TASK,
    change: changeId(library, change),
    pageSize: Math.min(PAGE_SIZE, limit ?? PAGE_SIZE),
    vector,
    notes:
      others.length === 0
        ? []
        : [`of several dense vectors ${vector === '' ? 'the unnamed one' : vector} was looked at`],
    sampleSize,
    maxDomains,
    minSharePercent,
    seed: seedOf(uid ?? name),
  };
  await startTask(ordering, {
    config,
    names,
    job: taskJobName(discoveryJobPrefix(name, change), attempt),
    labels: { [TASK_LABEL]: DISCOVER_TASK },
  });
}

/** The same library gives the same sample as long as its points are the same. */
const seedOf = (text: string): number => createHash('sha256').update(text).digest().readUInt32LE();

function putAway(ordering: Ordering): Promise<void> {
  const isOurs = (object: ConfigMap | Job): boolean => taskOf(object) === DISCOVER_TASK;
  return removeTasks(ordering, {
    jobs: isOurs,
    // The report stays: it is for people.
    configMaps: (map) => isOurs(map) && map.metadata.labels?.[ROLE_LABEL] === 'config',
    accounts: [discoveryNames(ordering.world.library.metadata.name).account],
  });
}
