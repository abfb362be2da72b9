import { ANNOTATIONS, type Blocker, disabledPredicates, FINALIZER, overruled } from '../api/index.ts';
import { type Active, type Holder, holderOf } from './decide/active.ts';
import { furtherAliases } from './decide/aliases.ts';
import { changeGeneration, changeInGap, untimelyName } from './decide/change.ts';
import { cleanUp } from './decide/cleanup.ts';
import { deleteBlind, deleteLibrary, living } from './decide/deletion.ts';
import { lift } from './decide/fence.ts';
import { firstGeneration, takeOver, unready } from './decide/first-generation.ts';
import { heldUpEvents } from './decide/held-up.ts';
import { inPlace } from './decide/in-place.ts';
import { isMove } from './decide/site.ts';
import { unactedNotes } from './decide/unacted.ts';
import { addVectors } from './decide/vectors.ts';
import { wayBack } from './decide/way-back.ts';
import { discoverDomains, discoveryNotes } from './discovery/decide.ts';
import { publicName } from './names.ts';
import type { Note, Plan } from './plan.ts';
import { afterMove, haltReverse, reverseNotes } from './reverse/decide.ts';
import { type Shape, shapeOf } from './shape.ts';
import { snapshots } from './snapshots/decide/making.ts';
import { rollBack } from './snapshots/decide/rollback.ts';
import { tryOut } from './snapshots/decide/trial.ts';
import type { SeenWorld, World } from './world.ts';

/** What this pass does. Pure: the same world gives the same plan. */
export function decide(world: World): Plan {
  const { library } = world;
  const plan = decideStep(world);
  const notes = [...unactedNotes(library), ...(plan.notes ?? []), ...discoveryNotes(library)];
  // Before it serves for the first time much is not there yet: that is no news.
  const told = plan.unready === true ? [] : heldUpEvents(library, notes);
  return { ...plan, notes, ...(told.length === 0 ? {} : { events: [...(plan.events ?? []), ...told] }) };
}

/** Refusals that this pass passes over, because the library's annotation switches their predicates off. */
export const overruledBy = (world: World): Blocker[] =>
  overruled(disabledPredicates(world.library), () => decide(strictly(world)).blockedBy ?? []);

function strictly(world: World): World {
  const { [ANNOTATIONS.disablePredicates]: _, ...annotations } = world.library.metadata.annotations ?? {};
  return { ...world, library: { ...world.library, metadata: { ...world.library.metadata, annotations } } };
}

function decideStep(world: World): Plan {
  const { library, sight, cluster } = world;
  const { metadata, spec } = library;
  const hasFinalizer = metadata.finalizers?.includes(FINALIZER) === true;
  const seen: SeenWorld | undefined =
    sight.kind === 'seen' && cluster !== undefined ? { ...world, cluster, look: sight.look } : undefined;
  if (metadata.deletionTimestamp !== undefined) {
    if (!hasFinalizer) return { steps: [] };
    if (seen !== undefined) return deleteLibrary(seen);
    return deleteBlind({ ...world, sight: sight.kind === 'blind' ? sight : NOTHING_SEEN });
  }
  if (spec.suspend === true) return suspended(world, seen);
  // Before anything is made that would have to be put away.
  if (!hasFinalizer)
    return {
      steps: [{ kind: 'addFinalizer' }],
      waiting: { reason: 'Creating', message: 'the finalizer is set', seconds: 0.05 },
    };
  if (seen === undefined) {
    const { reason, message } = sight.kind === 'blind' ? sight : NOTHING_SEEN;
    return unready(reason, message, world.settings.resyncSeconds);
  }
  return live(seen);
}

const NOTHING_SEEN = { kind: 'blind', reason: 'ClusterNotFound', message: 'there is no cluster to look at' } as const;

/** Nothing is done but what would do harm if left: writes that are held back are let go, and the worker ends. */
function suspended(world: World, seen: SeenWorld | undefined): Plan {
  const note: Note = {
    type: 'Suspended',
    status: 'True',
    reason: 'Suspended',
    message: 'spec.suspend is true: nothing is done',
  };
  const holder = seen === undefined ? undefined : holderOf(world.library, seen.look);
  const running = world.library.status?.change;
  const untimely =
    seen !== undefined && running !== undefined && running.step !== 'Switched' && isMove(running)
      ? untimelyName(seen, running)
      : undefined;
  if (untimely !== undefined) return { ...untimely, notes: [note] };
  const lifted =
    holder?.kind === 'ours' && running !== undefined && holder.generation === running.from
      ? lift(holder.collection)
      : undefined;
  const jobs = [...(world.job?.state === 'running' ? [world.job.name] : []), ...world.otherJobs, ...living(world)];
  const steps = [
    ...(lifted === undefined ? [] : [lifted]),
    ...(jobs.length === 0 ? [] : [{ kind: 'stopCopy' as const, jobs }]),
  ];
  return { steps, notes: [note] };
}

function live(world: SeenWorld): Plan {
  const { library, look, cluster, rivals, settings } = world;
  const shape = shapeOf(library.spec, cluster.spec.limits);
  const holder = holderOf(library, look);
  switch (holder.kind) {
    case 'unclear':
      return {
        steps: [],
        waiting: { reason: 'PeersDisagree', message: holder.message, seconds: settings.busySeconds },
      };
    case 'foreign':
      return takeOver(world, holder);
    case 'nobody': {
      const [rival] = rivals;
      if (rival !== undefined) {
        return unready(
          'CollectionClaimed',
          `DomainLibrary ${rival.name} claims collection ${publicName(library)} of QdrantCluster ${cluster.metadata.name}, too, and is older`,
        );
      }
      const rolling = rollBack(world, undefined);
      return changeInGap(world) ?? (rolling?.alone === true ? rolling.plan : firstGeneration(world, shape));
    }
    case 'ours': {
      const plan = maintain(world, shape, holder);
      const back = wayBack(world);
      // What a pass says itself comes first.
      const notes = [...(plan.notes ?? []), ...(back === undefined ? [] : [back]), ...reverseNotes(world, holder)];
      return { ...plan, notes };
    }
  }
}

/** A change of generation first; what can be changed in place beside it; what is dropped last. */
function maintain(world: SeenWorld, shape: Shape, active: Active): Plan {
  const { library, memory, now } = world;
  const halting = haltReverse(world);
  if (halting !== undefined) return halting;
  const rolling = rollBack(world, active);
  if (rolling?.alone === true) return rolling.plan;
  const changing = changeGeneration(world, shape, active);
  const runs = library.status?.change !== undefined;
  if (changing !== undefined && changing.steps.length > 0) return changing;
  // Under a fence the old generation is left exactly as it is.
  const still = active.collection.fencedSomewhere || (runs && active.generation !== library.status?.change?.from);
  const beside = still
    ? []
    : [
        runs || changing !== undefined ? undefined : addVectors(world, shape, active.collection),
        inPlace(active.collection, shape, { strictMode: true, memory, now }),
        furtherAliases(world, active.collection),
        runs || changing !== undefined ? undefined : afterMove(world, active),
        runs || changing !== undefined ? undefined : cleanUp(world, active),
        tryOut(world),
        snapshots(world, active),
        discoverDomains(world, active),
      ];
  return together(
    [rolling?.plan, changing, ...beside].filter((plan) => plan !== undefined),
    orphanFence(world, active, runs),
  );
}

/** A fence without a change that needs it: left by a crash between the two. */
function orphanFence({ library }: SeenWorld, active: Active, runs: boolean): Plan | undefined {
  const lifted = runs || library.status?.change !== undefined ? undefined : lift(active.collection);
  return lifted === undefined
    ? undefined
    : {
        steps: [lifted],
        events: [
          {
            type: 'Warning',
            reason: 'FenceLifted',
            action: 'Fence',
            note: 'writes were held back for no change that runs',
          },
        ],
      };
}

/** The first plan that does something, with what the others have to say. */
function together(plans: readonly Plan[], first: Plan | undefined): Plan {
  const all = first === undefined ? plans : [first, ...plans];
  const acting = all.find(({ steps }) => steps.length > 0);
  const stated = all.find(({ status }) => status !== undefined);
  const waiting = all.find((plan) => plan.waiting !== undefined);
  const blockedBy = all.flatMap((plan) => plan.blockedBy ?? []);
  const status = acting?.status ?? (acting === undefined ? stated?.status : undefined);
  return {
    steps: acting?.steps ?? [],
    notes: all.flatMap((plan) => plan.notes ?? []),
    events: (acting ?? stated)?.events ?? [],
    blockedBy,
    ...(status === undefined ? {} : { status }),
    ...(waiting?.waiting === undefined ? {} : { waiting: waiting.waiting }),
    ...lookAgain(all),
    ...(all.some(({ stalled }) => stalled === true) ? { stalled: true } : {}),
    ...(all.some((plan) => plan.unready === true) ? { unready: true } : {}),
  };
}

function lookAgain(plans: readonly Plan[]): Pick<Plan, 'again'> {
  const times = plans.flatMap(({ again }) => again ?? []);
  return times.length === 0 ? {} : { again: Math.min(...times) };
}

export type { Holder };
