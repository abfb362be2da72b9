import type { QdrantCluster } from '../../api/index.ts';
import { aliasesOf, type Look } from '../look.ts';
import { publicName } from '../names.ts';
import { generationsOf, type Plan, type Step } from '../plan.ts';
import { DROP_PREDICATES, refusals } from '../predicates.ts';
import type { SeenWorld, World } from '../world.ts';
import { ownCollections } from './active.ts';
import { lift } from './fence.ts';

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

/**
 * In this order, each when the one before is done: the worker ends, writes go on, what was never active goes, and by
 * policy the aliases and all generations.
 */
export function deleteLibrary(world: SeenWorld): Plan {
  const { library, look, job, otherJobs, settings } = world;
  const waiting = {
    reason: 'Deleting',
    message: 'what belongs to the library is put away',
    seconds: settings.busySeconds,
  } as const;
  const jobs = [...(job === undefined ? [] : [job.name]), ...otherJobs, ...living(world)];
  if (jobs.length > 0) return { steps: [{ kind: 'stopCopy', jobs }], waiting, unready: true };
  const own = [...ownCollections(library, look).values()];
  const { change } = library.status ?? {};
  const inUse = new Set(
    own.filter(({ name }) => aliasesOf(look, name).length > 0 || name === publicName(library)).map(({ name }) => name),
  );
  for (const collection of own) {
    const lifted = lift(collection);
    const serving = inUse.has(collection.name);
    if (lifted !== undefined && serving) return { steps: [lifted], waiting, unready: true };
  }
  const unfinished = own.filter(
    ({ name, mark }) =>
      !inUse.has(name) &&
      (mark?.generation === change?.to ||
        generationsOf(library.status).some((entry) => entry.number === mark?.generation && entry.state === 'Failed')),
  );
  const remove = library.spec.deletionPolicy === 'Delete';
  const alias = remove
    ? ourAlias(
        world,
        look,
        own.map(({ name }) => name),
      )
    : undefined;
  if (alias !== undefined) return { steps: [alias], waiting, unready: true };
  const [next] = unfinished.length > 0 ? unfinished : remove ? own : [];
  if (next === undefined) return finish(world, remove);
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
    return { steps: [], blockedBy, unready: true, waiting: { reason: 'PredicatesRefuse', message, seconds: 2 } };
  }
  return { steps: [{ kind: 'dropCollection', collection: next.name }], waiting, unready: true };
}

/** The public name and the further ones that the mark says are ours. */
function ourAlias({ library }: SeenWorld, look: Look, own: readonly string[]): Step | undefined {
  const marks = [...ownCollections(library, look).values()].flatMap(({ mark }) => mark?.aliases ?? []);
  const ours = new Set([publicName(library), ...marks]);
  const alias = own.flatMap((name) => aliasesOf(look, name)).find((name) => ours.has(name));
  return alias === undefined ? undefined : { kind: 'dropAlias', alias };
}

function finish({ library, look }: SeenWorld, removed: boolean): Plan {
  const kept = [...ownCollections(library, look).values()].map(({ name }) => name);
  const note = removed
    ? 'all generations are dropped'
    : `collections are kept by deletionPolicy Retain: ${kept.join(', ') || 'none'}`;
  return {
    steps: [{ kind: 'removeFinalizer' }],
    events: [{ type: 'Normal', reason: removed ? 'Dropped' : 'Retained', action: 'Delete', note }],
  };
}
