import type { Blocker, GenerationChange } from '../../api/index.ts';
import type { EngineChoice } from '../../migration/index.ts';
import { aliasesOf, aliasTargets, type CollectionLook, type Look, versionsTold } from '../look.ts';
import { generationName, publicName } from '../names.ts';
import type { Observed } from '../observed.ts';
import { generationsOf, type Note, type Plan, timestamp, withGeneration } from '../plan.ts';
import { fenceAgeSeconds, MOVE_PREDICATES, refusals } from '../predicates.ts';
import { type Shape, shapeDigest, shapeOf } from '../shape.ts';
import { SNAPSHOT_TASK } from '../snapshots/names.ts';
import { type Place, placeNamed, type SeenWorld } from '../world.ts';
import { type Active, ownCollections } from './active.ts';
import { blocked } from './blocked.ts';
import { engineOfMove } from './engine.ts';
import { lift, withoutFence } from './fence.ts';
import { type MoveOrder, orderedMove } from './placement.ts';
import { carrying, layoutAfter } from './projection.ts';
import { type Move, sitesOf } from './site.ts';
import { reusable } from './way-back.ts';

/** Every name that leads to the collection, and those that the spec wants: all of them travel. */
export function travellingNames({ library, look }: SeenWorld, { name }: CollectionLook): string[] {
  return [...new Set([publicName(library), ...aliasesOf(look, name), ...(library.spec.aliases ?? [])])].filter(
    (alias) => alias !== name || alias === publicName(library),
  );
}

/** The next number that no generation has had, on whatever cluster. */
export function nextGeneration(world: SeenWorld, active: number): number {
  const { library } = world;
  const numbers = [
    ...generationsOf(library.status).map(({ number }) => number),
    ...sitesOf(world).flatMap(({ look }) => [...ownCollections(library, look).keys()]),
  ];
  return Math.max(active, ...numbers) + 1;
}

/** Begins the move that is ordered, where nothing speaks against it. */
export function startMove(world: SeenWorld, active: Active, order: MoveOrder): Plan | undefined {
  const place = placeNamed(world, order.to);
  if (place === undefined) return undefined;
  const { library, cluster, now } = world;
  const to = nextGeneration(world, active.generation);
  const left = reusable(world, place);
  const collection = left?.collection ?? generationName(publicName(library), to);
  const probed = probe(world, { active, place, collection });
  if (probed !== undefined) return probed;
  const home = cluster.metadata.name;
  const shape = shapeOf(library.spec, place.cluster?.spec.limits);
  const reason = `${order.field}: ${home} -> ${order.to}`;
  const change: GenerationChange = {
    step: 'Probed',
    from: active.generation,
    to,
    reason,
    startedAt: timestamp(now),
    fromCluster: home,
    toCluster: order.to,
    maxFreezeSeconds: world.settings.maxFreezeSeconds,
    ...(order.policy === undefined ? {} : { policy: order.policy }),
    ...chosenEngine(left === undefined ? engineOf(world, active, place) : undefined),
  };
  const entry = {
    number: to,
    collection,
    cluster: order.to,
    state: 'Building' as const,
    specDigest: shapeDigest(shape),
    createdAt: timestamp(now),
  };
  const again = left === undefined ? '' : ` onto ${left.collection}, which it had left`;
  const note = `moves to QdrantCluster ${order.to}${again} as generation ${to}: ${reason}`;
  const others = generationsOf(library.status).filter(({ number }) => number !== left?.number);
  return {
    // Written down before anything is made: whoever goes on after a crash finds it.
    steps: [],
    status: { generations: withGeneration(others, entry), change },
    events: [{ type: 'Normal', reason: 'MoveStarted', action: 'Move', note }],
    waiting: { reason: 'Changing', message: note, seconds: 0.05 },
  };
}

function chosenEngine(choice: EngineChoice | undefined): Pick<GenerationChange, 'engine' | 'engineReason'> {
  if (choice === undefined)
    return { engine: 'Scroll', engineReason: 'only what differs from what it had left travels' };
  return choice.kind === 'chosen' ? { engine: choice.engine, engineReason: choice.reason.slice(0, MAX_REASON) } : {};
}

const MAX_REASON = 1024;

function engineOf(world: SeenWorld, active: Active, place: Place): EngineChoice {
  const from = withoutFence(active.collection);
  const shape = shapeOf(world.library.spec, place.cluster?.spec.limits);
  const look = place.sight.kind === 'seen' ? place.sight.look : undefined;
  const versions = (seen: Look | undefined): string[] =>
    seen === undefined ? [] : versionsTold(seen).map(({ version }) => version);
  return engineOfMove({
    library: world.library,
    from,
    shape,
    target: place.cluster,
    versions: { source: versions(world.look), target: versions(look) },
    vectorsBytes: place.vectorsBytes,
    replicationFactor: replicationFactor(shape, from),
    wish: world.moveRules?.engine,
  });
}

function replicationFactor(shape: Shape, from: Observed): number {
  const factor = shape.params['replication_factor'] ?? from.params['replication_factor'];
  return typeof factor === 'number' ? factor : 1;
}

type Probing = { readonly active: Active; readonly place: Place; readonly collection: string };

/** Asks whether the target may be built on; undefined: it may. */
export function probe(world: SeenWorld, { active, place, collection }: Probing): Plan | undefined {
  const { library, cluster, look } = world;
  const from = withoutFence(active.collection);
  const shape = shapeOf(library.spec, place.cluster?.spec.limits);
  const { uncopyable, unplaceable } = carrying(from, layoutAfter(shape, from));
  const engine = place.sight.kind === 'seen' ? engineOf(world, active, place) : undefined;
  const subject = {
    library,
    cluster,
    look,
    place,
    collection,
    from: active.collection,
    aliases: travellingNames(world, active.collection),
    replicationFactor: replicationFactor(shape, from),
    engineRefused: engine?.kind === 'refused' ? engine.reason : undefined,
    snapshotting:
      engine?.kind === 'chosen' && engine.engine === 'Scroll'
        ? []
        : world.tasks.filter(({ task, alive }) => task === SNAPSHOT_TASK && alive).map(({ name }) => name),
    misfits: [...uncopyable, ...(unplaceable === undefined ? [] : [unplaceable])],
  };
  const blockedBy = refusals(MOVE_PREDICATES, subject, library);
  if (blockedBy.length > 0) return blocked(blockedBy, { what: `no move to ${place.name}`, type: 'MoveBlocked' });
  // With its predicate switched off the cluster is still out of reach.
  return place.sight.kind === 'seen' ? undefined : away(world, place);
}

/** Why a move that runs and has not switched is not wanted any more. */
export function whyUnwanted(world: SeenWorld, { toCluster }: Move): string | undefined {
  const { library } = world;
  const order = orderedMove(library);
  if (order === undefined) return `the library is to stay on ${world.cluster.metadata.name}`;
  if (order.to !== toCluster) return `${order.field}: it is to go to ${order.to}, not to ${toCluster}`;
  const cluster = placeNamed(world, toCluster)?.cluster;
  if (cluster === undefined) return `QdrantCluster ${toCluster} does not exist any more`;
  return cluster.metadata.deletionTimestamp === undefined ? undefined : `QdrantCluster ${toCluster} is being deleted`;
}

function awayBlockers({ name, sight }: Place): Blocker[] {
  const reason = sight.kind === 'blind' ? sight.message : `QdrantCluster ${name} can't be looked at`;
  return [{ name: 'target-ready', reason: reason.slice(0, 1024) }];
}

const away = ({ settings }: SeenWorld, place: Place): Plan => {
  const plan = blocked(awayBlockers(place), { what: `the move to ${place.name} waits`, type: 'MoveBlocked' });
  return plan.waiting === undefined
    ? plan
    : { ...plan, waiting: { ...plan.waiting, seconds: Math.max(settings.busySeconds, 1) } };
};

/**
 * The target can't be looked at in the middle of a move: it is waited for, and clients get their way. But where it may
 * have been asked for the name it may show it when it is back: then writes are held back as long as the change may take.
 */
export function targetAway(
  world: SeenWorld,
  { active, change, place }: { readonly active: Active; readonly change: Move; readonly place: Place },
): Plan {
  const waiting = away(world, place);
  const lifted = lift(active.collection);
  const { blockedBy: _before, ...rest } = change;
  const blockedBy = awayBlockers(place);
  const age = fenceAgeSeconds({ from: active.collection, now: world.now }) ?? 0;
  const holds = change.step === 'Verified' && age <= world.settings.maxFreezeSeconds;
  if (lifted === undefined || holds) return { ...waiting, status: { change: { ...rest, blockedBy } } };
  const note = `writes to ${active.collection.name} go on without a switch: ${place.name} can't be looked at`;
  return {
    ...waiting,
    steps: [lifted],
    status: { change: { ...rest, step: 'Converging', blockedBy } },
    events: [{ type: 'Warning', reason: 'FenceLifted', action: 'Fence', note }],
  };
}

const LEAVING_SECONDS = 0.02;

/** What waits for the other end of a move. */
export const moveNote = (message: string): Note => ({
  type: 'MoveBlocked',
  status: 'True',
  reason: 'PredicatesRefuse',
  message,
});

/**
 * The library lives on the target: no name may lead to the source any more, so that nothing accepts writes at two
 * places. Undefined: every peer of the source shows it so, or there is no such cluster any more.
 */
export function leaveSource(
  world: SeenWorld,
  { active, change, collection }: { readonly active: Active; readonly change: Move; readonly collection: string },
): Plan | undefined {
  const place = placeNamed(world, change.fromCluster);
  if (place?.cluster === undefined) return undefined;
  const { sight } = place;
  if (sight.kind === 'blind') {
    // Deleted and out of reach: nobody will ever look at it again.
    if (place.cluster.metadata.deletionTimestamp !== undefined) return undefined;
    const message = `names may still lead to ${collection} on ${place.name}: ${sight.message}`;
    return { steps: [], notes: [moveNote(message)], waiting: { reason: 'Changing', message, seconds: 1 } };
  }
  const { look } = sight;
  const names = aliasesOf(look, collection);
  const waiting = {
    reason: 'Changing' as const,
    message: `names on ${place.name} are dropped: ${names.join(', ')}`,
    seconds: LEAVING_SECONDS,
  };
  const missing = names.filter((alias) => aliasTargets(world.look, alias).every((target) => target === undefined));
  if (missing.length > 0)
    return { steps: [{ kind: 'pointAliases', collection: active.collection.name, aliases: missing }], waiting };
  const [alias] = names;
  if (alias !== undefined) return { steps: [{ kind: 'dropAlias', cluster: place.name, alias }], waiting };
  const silent = look.silent.map(({ name }) => name);
  if (silent.length === 0) return undefined;
  const message = `${silent.join(', ')} of ${place.name} may still show ${publicName(world.library)}`;
  return { steps: [], notes: [moveNote(message)], waiting: { reason: 'Changing', message, seconds: 1 } };
}
