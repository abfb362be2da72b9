import type { GenerationChange } from '../../api/index.ts';
import type { Mark } from '../../migration/index.ts';
import { createBody } from '../create-body.ts';
import { difference, reshaping } from '../diff.ts';
import { type CollectionLook, collectionLook } from '../look.ts';
import { generationName, publicName } from '../names.ts';
import { generationsOf, type Plan, timestamp, withGeneration } from '../plan.ts';
import { CREATE_PREDICATES, refusals, START_PREDICATES } from '../predicates.ts';
import { type Shape, shapeDigest } from '../shape.ts';
import type { SeenWorld } from '../world.ts';
import { type Active, isOurs, ownCollections } from './active.ts';
import { blocked } from './blocked.ts';
import { copyAndSwitch } from './copy-and-switch.ts';
import { lift, withoutFence } from './fence.ts';
import { markOf, notReadable, unready } from './first-generation.ts';
import { inPlace } from './in-place.ts';
import { limitsInMark, limitsOf } from './limits.ts';
import { carrying, layoutAfter } from './projection.ts';
import { afterSwitch, closeGap } from './switched.ts';
import { whyNewGeneration } from './vectors.ts';

/** Begins a change of generation where the spec needs one, and carries on the one that runs. */
export function changeGeneration(world: SeenWorld, shape: Shape, active: Active): Plan | undefined {
  const { change } = world.library.status ?? {};
  if (change === undefined) return start(world, shape, active);
  if (active.generation === change.to) return afterSwitch(world, shape, { active, change });
  if (change.step === 'Switched') return switchedBack(world, change, active);
  return goOn(world, shape, { active, change });
}

/** The name is nobody's while a change runs: an adopted collection was dropped so that its name can be an alias. */
export const changeInGap = (world: SeenWorld): Plan | undefined => {
  const { change } = world.library.status ?? {};
  return change === undefined ? undefined : closeGap(world, change);
};

function start(world: SeenWorld, shape: Shape, { collection, generation }: Active): Plan | undefined {
  const { library, look, cluster, now } = world;
  const reason = whyNewGeneration(difference(shape, collection.observed), look);
  if (reason === undefined) return undefined;
  const { uncopyable, unplaceable } = carrying(collection.observed, layoutAfter(shape, collection.observed));
  const subject = { look, cluster, from: collection, uncopyable, unplaceable };
  const blockedBy = refusals(START_PREDICATES, subject, library);
  if (blockedBy.length > 0) return blocked(blockedBy, { what: `no new generation is built for ${reason}` });
  const numbers = [
    ...generationsOf(library.status).map(({ number }) => number),
    ...ownCollections(library, look).keys(),
  ];
  const to = Math.max(generation, ...numbers) + 1;
  const entry = {
    number: to,
    collection: generationName(publicName(library), to),
    cluster: cluster.metadata.name,
    state: 'Building' as const,
    specDigest: shapeDigest(shape),
    createdAt: timestamp(now),
  };
  const change: GenerationChange = { step: 'Building', from: generation, to, reason, startedAt: timestamp(now) };
  return {
    // Written down before anything is made: whoever goes on after a crash finds it.
    steps: [],
    status: { generations: withGeneration(generationsOf(library.status), entry), change },
    events: [
      { type: 'Normal', reason: 'GenerationStarted', action: 'Build', note: `builds generation ${to}: ${reason}` },
    ],
    waiting: { reason: 'Changing', message: `generation ${to} is being built: ${reason}`, seconds: 0.05 },
  };
}

type Running = { readonly active: Active; readonly change: GenerationChange };

function goOn(world: SeenWorld, shape: Shape, { active, change }: Running): Plan {
  const { library, look, memory, now } = world;
  const name = generationName(publicName(library), change.to);
  const target = collectionLook(look, name);
  const obsolete = whyObsolete(shape, { active, target, change });
  if (obsolete !== undefined) return abandon(world, { active, change, why: obsolete });
  if (target === undefined) return build(world, shape, { active, change, name });
  if (!isOurs(library, target.mark)) {
    return unready('CollectionExists', `collection ${name} exists and this library did not make it`);
  }
  const keys = [...new Set([...(shape.shardKeys ?? []), ...active.collection.shardKeys])];
  const filled = target.observed.customSharding ? { ...shape, shardKeys: keys } : shape;
  const shaping = notReadable(world, target) ?? inPlace(target, filled, { strictMode: false, memory, now });
  if (shaping !== undefined && (shaping.steps.length > 0 || shaping.waiting !== undefined)) {
    const { unready: _unready, ...rest } = shaping;
    return rest.waiting === undefined ? { ...rest, waiting: building(world, change) } : rest;
  }
  return copyAndSwitch(world, { active, change, target });
}

const building = ({ settings }: SeenWorld, { to }: GenerationChange) => ({
  reason: 'Changing' as const,
  message: `generation ${to} is being built`,
  seconds: settings.busySeconds,
});

function build(world: SeenWorld, shape: Shape, { active, change, name }: Running & { name: string }): Plan {
  const { library, look, cluster } = world;
  const blockedBy = refusals(CREATE_PREDICATES, { look, cluster }, library);
  if (blockedBy.length > 0) {
    const plan = blocked(blockedBy, { what: `collection ${name} is not made` });
    return { ...plan, status: { change: { ...change, blockedBy: [...blockedBy] } } };
  }
  const indexes = Object.keys(shape.indexes).toSorted();
  const mark: Mark = {
    ...markOf(world, change.to),
    ...(indexes.length === 0 ? {} : { indexes }),
    ...limitsInMark(limitsOf(active.collection)),
  };
  const body = createBody(shape, { mark, base: withoutFence(active.collection), strictMode: false });
  return {
    steps: [{ kind: 'createCollection', collection: name, body }],
    waiting: building(world, change),
  };
}

/** Why what is being built is no longer what is wanted. */
function whyObsolete(
  shape: Shape,
  { active, target, change }: Running & { readonly target: CollectionLook | undefined },
): string | undefined {
  // What could now be added in place as well is no reason to throw away what is half built.
  if (reshaping(difference(shape, active.collection.observed)).length === 0) {
    return 'the active generation is as the spec wants it again';
  }
  if (target === undefined) {
    return change.step === 'Building' ? undefined : 'its collection is gone';
  }
  const changes = reshaping(difference(shape, target.observed));
  return changes.length === 0 ? undefined : `the spec has changed again: ${changes.join('; ')}`;
}

/** First the fence, then the worker, then the entry: each only once the one before is gone. */
export function abandon(world: SeenWorld, { active, change, why }: Running & { readonly why: string }): Plan {
  const { library, job, otherJobs } = world;
  const message = `generation ${change.to} is given up: ${why}`;
  const waiting = { reason: 'Changing', message, seconds: world.settings.busySeconds } as const;
  const lifted = lift(active.collection);
  if (lifted !== undefined) return { steps: [lifted], waiting };
  const jobs = [...(job === undefined ? [] : [job.name]), ...otherJobs];
  if (jobs.length > 0) return { steps: [{ kind: 'stopCopy', jobs }], waiting };
  const generations = generationsOf(library.status).map((entry) =>
    entry.number === change.to ? { ...entry, state: 'Failed' as const } : entry,
  );
  return {
    steps: [],
    status: { generations, change: null },
    events: [{ type: 'Warning', reason: 'GenerationAbandoned', action: 'Abandon', note: message }],
    waiting: { ...waiting, seconds: 0.05 },
  };
}

/** Someone pointed the alias back to the old generation after the switch: theirs is the last word. */
function switchedBack(world: SeenWorld, change: GenerationChange, active: Active): Plan {
  const { library } = world;
  const lifted = lift(active.collection);
  if (lifted !== undefined) {
    return { steps: [lifted], waiting: { reason: 'Changing', message: 'the alias was pointed back', seconds: 0.05 } };
  }
  const generations = generationsOf(library.status).map((entry) => {
    if (entry.number === active.generation) return { ...entry, state: 'Active' as const };
    return entry.state === 'Active' ? { ...entry, state: 'Retired' as const } : entry;
  });
  const note = `alias leads to generation ${active.generation} again, after the switch to ${change.to}`;
  return {
    steps: [],
    status: { generations, change: null },
    events: [{ type: 'Warning', reason: 'SwitchedBack', action: 'Switch', note }],
    waiting: { reason: 'Changing', message: note, seconds: 0.05 },
  };
}
