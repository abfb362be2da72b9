import type { GenerationChange } from '../../api/index.ts';
import type { Mark } from '../../migration/index.ts';
import { createBody } from '../create-body.ts';
import { difference, reshaping } from '../diff.ts';
import { aliasesOf, type CollectionLook, collectionLook } from '../look.ts';
import { generationName, publicName } from '../names.ts';
import { generationsOf, type Plan, timestamp, withGeneration } from '../plan.ts';
import { CREATE_PREDICATES, refusals, START_PREDICATES } from '../predicates.ts';
import { type Shape, shapeDigest, shapeOf } from '../shape.ts';
import { placeNamed, type SeenWorld } from '../world.ts';
import { type Active, isOurs } from './active.ts';
import { blocked } from './blocked.ts';
import { carryOver, usersMetadata } from './carry.ts';
import { copyAndSwitch, nameBeforeSwitch, takeNameAway } from './copy-and-switch.ts';
import { progressOf } from './copying.ts';
import { lift, withoutFence } from './fence.ts';
import { markOf, notReadable, unready } from './first-generation.ts';
import { inPlace } from './in-place.ts';
import { limitsInMark, limitsOf } from './limits.ts';
import { nextGeneration, probe, startMove, targetAway, whyUnwanted } from './move.ts';
import { orderedMove } from './placement.ts';
import { carrying, layoutAfter } from './projection.ts';
import { homeOf, isMove, type Move, onSite, type Site, siteOf } from './site.ts';
import { afterSwitch, closeGap } from './switched.ts';
import { whyNewGeneration } from './vectors.ts';
import { collectionOf, takeAgain } from './way-back.ts';

/** Begins a change of generation where the spec needs one, and carries on the one that runs. */
export function changeGeneration(world: SeenWorld, shape: Shape, active: Active): Plan | undefined {
  const { change } = world.library.status ?? {};
  if (change === undefined) {
    const order = orderedMove(world.library);
    return order === undefined ? start(world, shape, active) : startMove(world, active, order);
  }
  if (active.generation === change.to) return afterSwitch(world, shape, { active, change });
  if (change.step === 'Switched') return switchedBack(world, change, active);
  return goOn(world, { active, change });
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
  const to = nextGeneration(world, generation);
  const entry = {
    number: to,
    collection: generationName(publicName(library), to),
    cluster: cluster.metadata.name,
    state: 'Building' as const,
    specDigest: shapeDigest(shape),
    createdAt: timestamp(now),
  };
  const { maxFreezeSeconds } = world.settings;
  const startedAt = timestamp(now);
  const change: GenerationChange = { step: 'Building', from: generation, to, reason, startedAt, maxFreezeSeconds };
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

type Building = Running & { readonly site: Site; readonly shape: Shape };

function goOn(world: SeenWorld, { active, change }: Running): Plan {
  const { library, memory, now } = world;
  const unwanted = isMove(change) ? whyUnwanted(world, change) : undefined;
  const site = isMove(change) ? siteOf(world, change.toCluster) : homeOf(world);
  const name = collectionOf(world, change.to);
  const target = site === undefined ? undefined : collectionLook(site.look, name);
  if (unwanted !== undefined) return abandon(world, { active, change, why: unwanted });
  if (site === undefined) {
    const place = isMove(change) ? placeNamed(world, change.toCluster) : undefined;
    if (place === undefined || !isMove(change))
      throw new Error(`nothing is known of ${change.toCluster ?? 'a target'}`);
    return targetAway(world, { active, change, place });
  }
  const shape = shapeOf(library.spec, site.cluster.spec.limits);
  const obsolete = whyObsolete(shape, { active, target, change });
  if (obsolete !== undefined) return abandon(world, { active, change, why: obsolete });
  if (target === undefined) return build(world, { active, change, site, shape });
  if (!isOurs(library, target.mark)) {
    return unready('CollectionExists', `collection ${name} exists and this library did not make it`);
  }
  if (target.mark.generation !== change.to) {
    const again = takeAgain(
      { collection: { ...target, mark: target.mark }, number: change.to, active: active.collection },
      site,
    );
    return { ...again, waiting: building(world, change) };
  }
  const named = isMove(change) ? nameBeforeSwitch(world, { active, change, site, target }) : undefined;
  if (named !== undefined) return named;
  // The worker took the name for the switch and has ended; it never begins anew.
  if (isMove(change) && progressOf(world, change)?.phase === 'Done')
    return abandon(world, { active, change, why: 'the name of its target was taken away before the switch' });
  const options = { strictMode: false, memory, now };
  const shaping =
    notReadable({ ...world, look: site.look }, target) ??
    carryOver(world, shape, { from: active.collection, to: target }) ??
    inPlace(target, shape, options);
  if (shaping !== undefined && (shaping.steps.length > 0 || shaping.waiting !== undefined)) {
    const { unready: _unready, ...rest } = onSite(site, shaping);
    return rest.waiting === undefined ? { ...rest, waiting: building(world, change) } : rest;
  }
  return copyAndSwitch(world, { active, change, site, target });
}

const building = ({ settings }: SeenWorld, { to }: GenerationChange) => ({
  reason: 'Changing' as const,
  message: `generation ${to} is being built`,
  seconds: settings.busySeconds,
});

function build(world: SeenWorld, { active, change, site, shape }: Building): Plan {
  const name = collectionOf(world, change.to);
  const refused = mayNotBuild(world, { active, change, site }, name);
  if (refused !== undefined)
    return { ...refused, status: { change: { ...change, blockedBy: [...(refused.blockedBy ?? [])] } } };
  const indexes = Object.keys(shape.indexes).toSorted();
  const mark: Mark = {
    ...markOf(world, change.to),
    ...(indexes.length === 0 ? {} : { indexes }),
    ...limitsInMark(limitsOf(active.collection)),
  };
  const metadata = usersMetadata(active.collection);
  const body = createBody(shape, { mark, base: withoutFence(active.collection), metadata, strictMode: false });
  const { blockedBy: _passed, ...rest } = change;
  return onSite(site, {
    steps: [{ kind: 'createCollection', collection: name, body }],
    ...(change.step === 'Probed' ? { status: { change: { ...rest, step: 'Building' as const } } } : {}),
    waiting: building(world, change),
  });
}

function mayNotBuild(
  world: SeenWorld,
  { active, change, site }: Running & { readonly site: Site },
  name: string,
): Plan | undefined {
  if (isMove(change)) {
    const place = placeNamed(world, change.toCluster);
    return place === undefined ? undefined : probe(world, { active, place, collection: name });
  }
  const blockedBy = refusals(CREATE_PREDICATES, site, world.library);
  return blockedBy.length === 0 ? undefined : blocked(blockedBy, { what: `collection ${name} is not made` });
}

/** Why what is being built is no longer what is wanted. */
function whyObsolete(
  shape: Shape,
  { active, target, change }: Running & { readonly target: CollectionLook | undefined },
): string | undefined {
  // What could now be added in place as well is no reason to throw away what is half built.
  if (!isMove(change) && reshaping(difference(shape, active.collection.observed)).length === 0) {
    return 'the active generation is as the spec wants it again';
  }
  if (target === undefined) {
    return change.step === 'Building' || change.step === 'Probed' ? undefined : 'its collection is gone';
  }
  const changes = reshaping(difference(shape, target.observed));
  return changes.length === 0 ? undefined : `the spec has changed again: ${changes.join('; ')}`;
}

/** First a name that was made too early, then the fence, the worker, the entry: each once the one before is gone. */
export function abandon(world: SeenWorld, { active, change, why }: Running & { readonly why: string }): Plan {
  const { library, job, otherJobs } = world;
  const message = `generation ${change.to} is given up: ${why}`;
  const waiting = { reason: 'Changing', message, seconds: world.settings.busySeconds } as const;
  // Before writes go on at the source: nothing accepts them at two places.
  const named = isMove(change) ? untimelyName(world, change) : undefined;
  if (named !== undefined) return { ...named, waiting: { ...waiting, seconds: 0.02 } };
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

/** A name that leads to what is given up, or soon may, would keep it from being dropped. */
export function untimelyName(world: SeenWorld, change: Move): Plan | undefined {
  const site = siteOf(world, change.toCluster);
  if (site === undefined) return undefined;
  const [alias] = aliasesOf(site.look, collectionOf(world, change.to));
  if (alias !== undefined) return onSite(site, { steps: [{ kind: 'dropAlias', alias }] });
  return change.step === 'Verified' ? takeNameAway(world, { change, site }) : undefined;
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
