import type { QdrantCluster } from '../../api/index.ts';
import { aliasesOf, type CollectionLook, type Look } from '../look.ts';
import { publicName } from '../names.ts';
import { generationsOf, type Plan } from '../plan.ts';
import { DROP_PREDICATES, refusals } from '../predicates.ts';
import { filesWith } from '../snapshots/local-files.ts';
import { manifestsOf } from '../snapshots/world.ts';
import type { SeenWorld, World } from '../world.ts';
import { ownCollections } from './active.ts';
import { lift } from './fence.ts';
import { onSite, type Site, sitesOf } from './site.ts';

/** The object is being deleted and its cluster can't be looked at. */
export function deleteBlind(world: World & { readonly sight: { readonly kind: 'blind' } }): Plan {
  const { library, cluster, sight } = world;
  const retain = library.spec.deletionPolicy !== 'Delete';
  const untouched = generationsOf(library.status).length === 0;
  // A gone cluster has nothing that could be kept or dropped; a change that runs may have held writes back.
  const harmless =
    untouched ||
    (retain && (cluster === undefined || library.status?.change === undefined)) ||
    (cluster !== undefined && isGoing(cluster) && sight.reason === 'SecretNotFound');
  if (harmless) return { steps: [{ kind: 'removeFinalizer' }] };
  const hint = retain ? '' : '; set spec.deletionPolicy: Retain to let it go as it is';
  return {
    steps: [],
    unready: true,
    waiting: { reason: 'WaitingForCluster', message: `${sight.message}${hint}`, seconds: world.settings.resyncSeconds },
  };
}

/** Jobs of other tasks than copies whose pods may still run. */
export const living = ({ tasks }: Pick<World, 'tasks'>): string[] =>
  tasks.filter(({ alive }) => alive).map(({ name }) => name);

/** A cluster that we run and that is deleted gets no new key: nobody will ever look at it again, and it waits for us. */
const isGoing = ({ metadata, spec }: QdrantCluster): boolean =>
  metadata.deletionTimestamp !== undefined && spec.external === undefined;

const EMPTYING = 'what belongs to the library is put away';

/**
 * In this order, each when the one before is done: the worker ends, writes go on, what was never active goes, and by
 * policy the aliases and all generations; on every cluster that has something of it.
 */
export function deleteLibrary(world: SeenWorld): Plan {
  const { job, otherJobs, settings } = world;
  const waiting = { reason: 'Deleting', message: EMPTYING, seconds: settings.busySeconds } as const;
  const jobs = [...(job === undefined ? [] : [job.name]), ...otherJobs, ...living(world)];
  if (jobs.length > 0) return { steps: [{ kind: 'stopCopy', jobs }], waiting, unready: true };
  for (const site of sitesOf(world)) {
    const plan = emptySite(world, site);
    if (plan !== undefined) return { waiting, ...onSite(site, plan), unready: true };
  }
  return waitForPlaces(world) ?? finish(world);
}

/** What is still to be done on one cluster. */
function emptySite(world: SeenWorld, site: Site): Plan | undefined {
  const { library, settings } = world;
  const { look } = site;
  const own = [...ownCollections(library, look).values()];
  const { change } = library.status ?? {};
  const isNamed = ({ name }: CollectionLook): boolean =>
    aliasesOf(look, name).length > 0 || (site.name === undefined && name === publicName(library));
  const lifted = own
    .filter(isNamed)
    .map(lift)
    .find((step) => step !== undefined);
  if (lifted !== undefined) return { steps: [lifted] };
  const remove = library.spec.deletionPolicy === 'Delete';
  const names = own.map(({ name }) => name);
  // In the middle of a move the library's own cluster alone goes on answering to the name.
  const movedName =
    site.name === undefined || change === undefined ? undefined : names.flatMap((name) => aliasesOf(look, name))[0];
  const alias = movedName ?? (remove ? ourAlias(world, look, names) : undefined);
  if (alias !== undefined) return { steps: [{ kind: 'dropAlias', alias }] };
  const unfinished = own.filter(
    (collection) =>
      !isNamed(collection) &&
      (collection.mark?.generation === change?.to ||
        generationsOf(library.status).some(
          (entry) => entry.number === collection.mark?.generation && entry.state === 'Failed',
        )),
  );
  const [next] = unfinished.length > 0 ? unfinished : remove ? own : [];
  if (next === undefined) return undefined;
  const subject = {
    look,
    collection: next,
    active: undefined,
    now: world.now,
    settings,
    activeSince: undefined,
    activeDigest: undefined,
  };
  const blockedBy = refusals(DROP_PREDICATES, subject, library);
  if (blockedBy.length > 0) {
    const message = `${next.name} is not dropped: ${blockedBy.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}`;
    return { steps: [], blockedBy, waiting: { reason: 'PredicatesRefuse', message, seconds: 2 } };
  }
  const files = filesWith(world.snapshots, next.name);
  if (files === undefined) return { steps: [{ kind: 'dropCollection', collection: next.name }] };
  return {
    // Nobody knows their names once the ConfigMaps are gone.
    steps: [
      { kind: 'dropLocalFiles', files },
      { kind: 'snapshot', order: { do: 'forget', names: files.names } },
    ],
  };
}

/** Other clusters that can't be looked at and have something that must not stay. */
function waitForPlaces({ library, places, settings }: SeenWorld): Plan | undefined {
  const { change, generations = [] } = library.status ?? {};
  const remove = library.spec.deletionPolicy === 'Delete';
  const waited = places.find(({ name, cluster, sight }) => {
    if (sight.kind === 'seen' || cluster === undefined || cluster.metadata.deletionTimestamp !== undefined)
      return false;
    const moving = name === change?.fromCluster || (name === change?.toCluster && change.step !== 'Probed');
    return moving || (remove && generations.some((entry) => entry.cluster === name));
  });
  if (waited === undefined) return undefined;
  const why = waited.sight.kind === 'blind' ? waited.sight.message : '';
  const message = `something of it is left on ${waited.name}: ${why}; delete QdrantCluster ${waited.name} to let it go as it is`;
  return {
    steps: [],
    unready: true,
    waiting: { reason: 'WaitingForCluster', message, seconds: settings.resyncSeconds },
  };
}

/** The public name and the further ones that the mark says are ours. */
function ourAlias({ library }: SeenWorld, look: Look, own: readonly string[]): string | undefined {
  const marks = [...ownCollections(library, look).values()].flatMap(({ mark }) => mark?.aliases ?? []);
  const ours = new Set([publicName(library), ...marks]);
  return own.flatMap((name) => aliasesOf(look, name)).find((name) => ours.has(name));
}

function finish(world: SeenWorld): Plan {
  const { library } = world;
  const removed = library.spec.deletionPolicy === 'Delete';
  const kept = sitesOf(world).flatMap(({ look }) =>
    [...ownCollections(library, look).values()].map(({ name }) => name),
  );
  const manifests = manifestsOf(world.snapshots);
  const saved = (destination: string): number => manifests.filter((each) => each.destination === destination).length;
  const inBucket = saved('s3') === 0 ? '' : `; ${saved('s3')} snapshots stay in the bucket`;
  const beside = saved('local') === 0 ? '' : `; files of ${saved('local')} local snapshots stay with them`;
  const note = removed
    ? `all generations are dropped${inBucket}`
    : `collections are kept by deletionPolicy Retain: ${kept.join(', ') || 'none'}${beside}${inBucket}`;
  return {
    steps: [{ kind: 'removeFinalizer' }],
    events: [{ type: 'Normal', reason: removed ? 'Dropped' : 'Retained', action: 'Delete', note }],
  };
}
