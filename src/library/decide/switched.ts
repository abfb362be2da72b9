import type { DomainLibrary, GenerationChange, GenerationStatus } from '../../api/index.ts';
import type { Occurrence } from '../../kube/index.ts';
import type { Progress } from '../../migration/index.ts';
import { parseDigest } from '../../vectors/index.ts';
import { type CollectionLook, collectionLook } from '../look.ts';
import { generationName, publicName } from '../names.ts';
import { activated, generationsOf, on, type Plan, timestamp } from '../plan.ts';
import type { Shape } from '../shape.ts';
import type { SeenWorld } from '../world.ts';
import type { Active } from './active.ts';
import { isOurs } from './active.ts';
import { furtherAliases } from './aliases.ts';
import { ensureWorker, progressOf } from './copying.ts';
import { unready } from './first-generation.ts';
import { inPlace } from './in-place.ts';
import { leaveSource } from './move.ts';
import { collectionAt, isMove, type Move, siteOf } from './site.ts';
import { isReused, returnSeconds } from './way-back.ts';

type Switched = { readonly active: Active; readonly change: GenerationChange };

/** Looking for late writes is worth a few attempts; the switch itself is done. */
const LOOK_ATTEMPTS = 3;

/** The name leads to the new generation: give it its limits, let the worker look for late writes, put away the tools. */
export function afterSwitch(world: SeenWorld, shape: Shape, { active, change }: Switched): Plan {
  const { library, memory, now, settings, job } = world;
  const progress = progressOf(world, change);
  if (change.step !== 'Switched') return record(world, { active, change });
  const fromName =
    generationsOf(library.status).find(({ number }) => number === change.from)?.collection ??
    generationName(publicName(library), change.from);
  const leaving = isMove(change) ? leaveSource(world, { active, change, collection: fromName }) : undefined;
  if (leaving !== undefined) return leaving;
  const shaping =
    inPlace(active.collection, shape, { strictMode: true, memory, now }) ?? furtherAliases(world, active.collection);
  if (shaping !== undefined && shaping.steps.length > 0)
    return { ...shaping, waiting: looking(change, settings.busySeconds) };
  const done = progress?.phase === 'Done' ? progress.leak : undefined;
  // Without the proof a worker would begin from the start, and put old points over what clients write now.
  const unseen = isMove(change) && siteOf(world, change.fromCluster) === undefined;
  const hopeless =
    done === undefined &&
    (unseen || progress?.verified === undefined || (job?.state !== 'running' && (job?.attempt ?? 0) >= LOOK_ATTEMPTS));
  if (done === undefined && !hopeless) {
    const source = sourceOf(world, change, fromName);
    const worker =
      source === undefined ? undefined : ensureWorker(world, { from: source, to: active.collection, change });
    return worker ?? { steps: [], waiting: looking(change, settings.busySeconds) };
  }
  const leftBehind = done?.checked === true ? done.kept : undefined;
  const bare = isMove(change) ? dropBareName(world, { change, collection: fromName, leftBehind }) : undefined;
  if (bare !== undefined) return bare;
  return {
    // First written down, then put away: the other way round a crash would leave a change without its proof.
    steps: [],
    status: { change: null, ...(isMove(change) ? { generations: leftBy(world, change, progress) } : {}) },
    events: [completed(world, change, { leftBehind, applied: done?.applied ?? 0 })],
    waiting: { reason: 'Changing', message: `what copied generation ${change.to} is put away`, seconds: 0.05 },
  };
}

const sourceOf = (world: SeenWorld, change: GenerationChange, name: string): CollectionLook | undefined =>
  isMove(change) ? collectionAt(world, change.fromCluster, name) : collectionLook(world.look, name);

/** An adopted collection bears the public name itself: only without it nothing answers to the name there any more. */
function dropBareName(
  world: SeenWorld,
  { change, collection, leftBehind }: { change: Move; collection: string; leftBehind: number | undefined },
): Plan | undefined {
  if (collection !== publicName(world.library) || leftBehind !== 0) return undefined;
  if (collectionAt(world, change.fromCluster, collection) === undefined) return undefined;
  const note = `adopted collection ${collection} of ${change.fromCluster} is dropped: the library has left it`;
  return on(change.fromCluster, {
    steps: [{ kind: 'dropCollection', collection }],
    events: [{ type: 'Warning', reason: 'GapOpened', action: 'Switch', note }],
    waiting: looking(change, 0.05),
  });
}

const looking = ({ to }: GenerationChange, seconds: number) => ({
  reason: 'Changing' as const,
  message: `generation ${to} is active; late writes to the one before are looked for`,
  seconds,
});

/** Written down while it is known: how long the way back is, and whether anything is in what was left only. */
const leftBy = (
  { library }: SeenWorld,
  { from, to, engine }: Move,
  progress: Progress | undefined,
): GenerationStatus[] =>
  generationsOf(library.status).map((entry) => {
    const travelled = progress?.base?.engine ?? engine;
    if (entry.number === to) return { ...entry, ...(travelled === undefined ? {} : { engine: travelled }) };
    if (entry.number !== from) return entry;
    const seconds = progress?.lastPass === undefined ? undefined : returnSeconds(progress.lastPass.milliseconds);
    return {
      ...entry,
      lateWrites: lateWritesOf(progress?.leak),
      ...(seconds === undefined ? {} : { returnSeconds: seconds }),
    };
  });

function lateWritesOf(leak: Progress['leak']): NonNullable<GenerationStatus['lateWrites']> {
  if (leak?.checked !== true) return 'Unknown';
  if (leak.kept > 0) return 'Kept';
  return leak.applied > 0 ? 'BroughtOver' : 'None';
}

function completed(
  world: SeenWorld,
  change: GenerationChange,
  { leftBehind, applied }: { readonly leftBehind: number | undefined; readonly applied: number },
): Occurrence {
  const { from, to, reason } = change;
  const base = isMove(change)
    ? ({ action: 'Move', reason: isReused(world, to) ? 'MovedBack' : 'Moved' } as const)
    : ({ action: 'Switch', reason: 'GenerationChanged' } as const);
  const what = `generation ${to} took over from ${from}: ${reason}`;
  if (leftBehind === undefined)
    return { ...base, type: 'Normal', note: `${what}; late writes could not be looked for` };
  const late = applied === 0 ? '' : `; ${applied} late writes were brought over`;
  return leftBehind === 0
    ? { ...base, type: 'Normal', note: `${what}${late}` }
    : { ...base, type: 'Warning', note: `${what}${late}; ${leftBehind} late writes stay in generation ${from} only` };
}

const HOUR = 3_600_000;

const movedEvent = (change: Move, library: DomainLibrary): Occurrence => ({
  type: 'Normal',
  reason: 'Switched',
  action: 'Move',
  note: `${publicName(library)} lives on ${change.toCluster} as generation ${change.to}`,
});

/** Writes down that the new generation is the active one; of a move that is the switch itself. */
export function record(world: SeenWorld, { active, change }: Switched): Plan {
  const { library, now } = world;
  const progress = progressOf(world, change);
  const verified = progress?.verified;
  const points = verified === undefined ? undefined : parseDigest(verified.target)?.count;
  const from = generationsOf(library.status).find(({ number }) => number === change.from);
  const fence = from === undefined ? undefined : collectionLook(world.look, from.collection)?.mark?.fence;
  const { blockedBy: _blockedBy, ...rest } = change;
  const hours = isMove(change) ? world.moveRules?.keepSourceHours : undefined;
  const { name } = active.collection;
  return {
    steps: [],
    ...(isMove(change) ? { events: [movedEvent(change, library)] } : {}),
    status: {
      ...(isMove(change) ? { cluster: change.toCluster, collection: name, generation: active.generation } : {}),
      generations: activated(generationsOf(library.status), active.generation, {
        switchedAt: timestamp(now),
        ...(hours === undefined ? {} : { keepUntil: timestamp(now + hours * HOUR) }),
        ...(points === undefined ? {} : { points }),
        ...(verified === undefined ? {} : { digest: verified.target }),
      }),
      change: {
        ...rest,
        step: 'Switched',
        ...(fence === undefined ? {} : { freezeMilliseconds: Math.max(0, now - fence.at) }),
      },
    },
    waiting: looking(change, 0.02),
  };
}

/** The adopted collection is dropped and nobody bears the name: only the new generation may get it, and only proved. */
export function closeGap(world: SeenWorld, change: GenerationChange): Plan | undefined {
  const { library, look } = world;
  const verified = progressOf(world, change)?.verified;
  const target = collectionLook(look, generationName(publicName(library), change.to));
  const proved = verified !== undefined && verified.source === verified.target;
  if (change.step !== 'Verified' || !proved || target === undefined || !isOurs(library, target.mark)) {
    return unready(
      'CollectionMissing',
      `nothing answers to ${publicName(library)}, and generation ${change.to} is not proved`,
    );
  }
  return {
    steps: [{ kind: 'pointAliases', collection: target.name, aliases: [publicName(library)] }],
    events: [
      {
        type: 'Normal',
        reason: 'Switched',
        action: 'Switch',
        note: `${publicName(library)} leads to generation ${change.to}`,
      },
    ],
    unready: true,
    waiting: { reason: 'Fenced', message: `${target.name} gets the name`, seconds: 0.02 },
  };
}
