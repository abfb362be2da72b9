import type { Blocker, GenerationChange } from '../../api/index.ts';
import type { Progress } from '../../migration/index.ts';
import { aliasTargets, type CollectionLook } from '../look.ts';
import { publicName } from '../names.ts';
import type { Plan } from '../plan.ts';
import { FENCE_PREDICATES, type FenceSubject, fenceAgeSeconds, refusals, SWITCH_PREDICATES } from '../predicates.ts';
import type { SeenWorld } from '../world.ts';
import type { Active } from './active.ts';
import { ensureWorker, event, heldUp, progressOf } from './copying.ts';
import { fenceStep, unfenceStep } from './fence.ts';
import { travellingNames } from './move.ts';
import { isMove, onSite, type Site } from './site.ts';
import { record } from './switched.ts';

export type Copying = {
  readonly active: Active;
  readonly change: GenerationChange;
  /** Where the target is. */
  readonly site: Site;
  readonly target: CollectionLook;
};

/** The target stands: fill it, hold writes back, have both sides proved equal, switch. */
export function copyAndSwitch(world: SeenWorld, copying: Copying): Plan {
  const plan = goOn(world, copying);
  const next = plan.status?.change;
  if (next?.engine !== 'Scroll' || copying.change.engine !== 'ShardSnapshot') return plan;
  const note = `generation ${next.to} is sent point by point: ${next.engineReason ?? ''}`;
  return { ...plan, events: [...(plan.events ?? []), event('EngineChanged', 'Copy', note, 'Warning')] };
}

function goOn(world: SeenWorld, copying: Copying): Plan {
  const { active, change } = copying;
  const progress = progressOf(world, change);
  const reported = withProgress(world, change, progress);
  if (active.collection.fencedSomewhere) return underFence(world, { ...copying, change: reported }, progress);
  const worker = ensureWorker(world, { from: active.collection, to: copying.target, change: reported });
  if (worker !== undefined) return worker;
  if (progress === undefined || progress.phase === 'Copying')
    return heldUp(world, progress, waitFor(world, { ...reported, step: 'Copying' }));
  const subject = subjectOf(world, copying, progress);
  const { blockedBy, passedOver } = bestEffort(world, change, refusals(FENCE_PREDICATES, subject, world.library));
  if (blockedBy.length > 0)
    return heldUp(world, progress, waitFor(world, { ...reported, step: 'Converging' }, blockedBy));
  const fence = fenceStep(active.collection, change.to, world.now);
  return {
    steps: fence === undefined ? [] : [fence],
    status: { change: { ...reported, step: 'Fenced', maxFreezeSeconds: world.settings.maxFreezeSeconds } },
    events: [
      event('Fenced', 'Fence', `writes to ${active.collection.name} are held back for the switch`),
      ...passedOver.map(({ name, reason }) =>
        event('FenceBestEffort', 'Fence', `${name} refuses, and the policy allows best effort: ${reason}`, 'Warning'),
      ),
    ],
    waiting: fenced(change),
  };
}

/** What a policy of best effort goes on without: that every member was seen to hold writes back. */
const BEST_EFFORT: readonly string[] = ['every-peer-can-be-asked'];

function bestEffort({ moveRules }: SeenWorld, change: GenerationChange, refused: readonly Blocker[]) {
  const allowed = isMove(change) && moveRules?.fence === 'BestEffort';
  const isAllowed = ({ name }: Blocker): boolean => allowed && BEST_EFFORT.includes(name);
  return { blockedBy: refused.filter((each) => !isAllowed(each)), passedOver: refused.filter(isAllowed) };
}

function withProgress({ job }: SeenWorld, change: GenerationChange, progress: Progress | undefined): GenerationChange {
  const { blockedBy: _blockedBy, job: _job, ...rest } = change;
  return {
    ...rest,
    ...(job === undefined ? {} : { job: job.name }),
    ...(progress === undefined ? {} : { passes: progress.passes, copied: progress.copied, total: progress.total }),
    // What the worker found when it came to it.
    ...(progress?.base === undefined ? {} : { engine: progress.base.engine, engineReason: progress.base.reason }),
  };
}

/** Soon, because clients wait. */
const FENCED_SECONDS = 0.2;
const fenced = ({ to }: GenerationChange) => ({
  reason: 'Fenced' as const,
  message: `writes are held back until generation ${to} is proved and switched to`,
  seconds: FENCED_SECONDS,
});

function subjectOf(
  world: SeenWorld,
  { active, change, site, target }: Copying,
  progress: Progress | undefined,
): FenceSubject {
  const { look, library, memory, settings, now } = world;
  const gap = !active.byAlias && active.collection.name === publicName(library);
  return {
    look,
    targetLook: site.look,
    library,
    memory,
    settings,
    now,
    gap,
    progress,
    from: active.collection,
    to: target,
    toNumber: change.to,
  };
}

function waitFor({ settings }: SeenWorld, change: GenerationChange, blockedBy: readonly Blocker[] = []): Plan {
  const what = change.step === 'Copying' ? 'is being filled' : 'is kept in step';
  const reasons = blockedBy.map(({ name, reason }) => `; ${name}: ${reason}`).join('');
  return {
    steps: [],
    status: { change: { ...change, ...(blockedBy.length > 0 ? { blockedBy: [...blockedBy] } : {}) } },
    blockedBy,
    waiting: {
      reason: blockedBy.length > 0 ? 'PredicatesRefuse' : 'Changing',
      message: `generation ${change.to} ${what}${reasons}`,
      seconds: settings.busySeconds,
    },
  };
}

/** Writes are held back: prove and switch, or give clients their way again. */
function underFence(world: SeenWorld, copying: Copying, progress: Progress | undefined): Plan {
  const { active, change } = copying;
  const { library, now, settings, job } = world;
  const { collection } = active;
  const age = fenceAgeSeconds({ from: collection, now }) ?? Number.POSITIVE_INFINITY;
  const proved = progress?.verified !== undefined && progress.verified.nonce === collection.fence;
  const refused = proved ? refusals(SWITCH_PREDICATES, subjectOf(world, copying, progress), library) : [];
  if (proved && refused.length === 0) {
    if (change.step !== 'Verified') {
      return {
        steps: [],
        status: { change: { ...change, step: 'Verified' } },
        waiting: { ...fenced(change), seconds: 0.02 },
      };
    }
    return switchOver(world, copying);
  }
  if (isMove(change) && change.step === 'Verified') return takeNameAway(world, copying, refused);
  const gaveUp = progress?.gaveUp?.nonce === collection.fence ? progress?.gaveUp : undefined;
  const workerDead = job?.state !== 'running';
  if (age > settings.maxFreezeSeconds || workerDead || gaveUp !== undefined) {
    const late = workerDead
      ? 'its worker ended'
      : `it took ${age.toFixed(0)} s, more than ${settings.maxFreezeSeconds} s`;
    const why = gaveUp === undefined ? late : `${gaveUp.reason}: ${gaveUp.message}`;
    const mark = collection.mark;
    return {
      steps: mark === undefined ? [] : [unfenceStep(collection.name, mark)],
      status: { change: { ...change, step: 'Converging', ...(refused.length > 0 ? { blockedBy: refused } : {}) } },
      blockedBy: refused,
      events: [
        event(
          gaveUp?.reason === 'FenceLeaks' ? 'FenceLeaks' : 'FenceLifted',
          'Fence',
          `writes to ${collection.name} go on without a switch: ${why}`,
          'Warning',
        ),
      ],
      waiting: { reason: 'Changing', message: `the fence was lifted: ${why}`, seconds: settings.busySeconds },
    };
  }
  return {
    steps: [],
    status: { change: { ...change, step: 'Fenced', ...(refused.length > 0 ? { blockedBy: refused } : {}) } },
    blockedBy: refused,
    waiting: fenced(change),
  };
}

/**
 * The target may have been asked for the name without an answer, and may still carry it out: once it has answered this,
 * it will not any more, and writes may go on at the source.
 */
export function takeNameAway(
  { library }: SeenWorld,
  { change, site }: Pick<Copying, 'change' | 'site'>,
  blockedBy: readonly Blocker[] = [],
): Plan {
  const alias = publicName(library);
  const isFree = aliasTargets(site.look, alias).every((target) => target === undefined);
  return onSite(site, {
    steps: isFree ? [{ kind: 'dropAlias', alias }] : [],
    status: { change: { ...change, step: 'Fenced', ...(blockedBy.length > 0 ? { blockedBy: [...blockedBy] } : {}) } },
    blockedBy,
    waiting: { ...fenced(change), seconds: 0.02 },
  });
}

function switchOver(world: SeenWorld, { active, change, site, target }: Copying): Plan {
  const { library } = world;
  const { collection, byAlias } = active;
  const alias = publicName(library);
  const switched = event('Switched', 'Switch', `${alias} leads to generation ${change.to}`);
  if (isMove(change)) {
    // Nobody is told of the target yet: see `nameBeforeSwitch`.
    const aliases = travellingNames(world, collection);
    return onSite(site, {
      steps: [{ kind: 'pointAliases', collection: target.name, aliases }],
      waiting: { ...fenced(change), seconds: 0.02 },
    });
  }
  if (!byAlias && collection.name === alias) {
    return {
      steps: [{ kind: 'dropCollection', collection: collection.name }],
      events: [
        event(
          'GapOpened',
          'Switch',
          `adopted collection ${alias} is dropped so that its name can be an alias`,
          'Warning',
        ),
      ],
      waiting: { ...fenced(change), seconds: 0.01 },
    };
  }
  // One action each, the public name first: later ones are lost when an earlier one fails, never the other way round.
  const further = (collection.mark?.aliases ?? []).filter(
    (name) => name !== alias && (library.spec.aliases ?? []).includes(name),
  );
  return {
    steps: [{ kind: 'pointAliases', collection: target.name, aliases: [alias, ...further] }],
    events: [switched],
    waiting: { ...fenced(change), seconds: 0.02 },
  };
}

/**
 * The target of a move bears the name and the status does not say so yet. While the fence under which both sides were
 * proved holds, it is said now, and that is the switch: from then on the library lives there. Else the name goes again.
 */
export function nameBeforeSwitch(world: SeenWorld, copying: Copying): Plan | undefined {
  const { active, change, site, target } = copying;
  const { library } = world;
  const alias = publicName(library);
  const shown = aliasTargets(site.look, alias);
  if (!shown.includes(target.name)) return undefined;
  const progress = progressOf(world, change);
  const refused = refusals(SWITCH_PREDICATES, subjectOf(world, copying, progress), library);
  if (change.step !== 'Verified' || refused.length > 0) {
    const why = refused.map(({ name, reason }) => `${name}: ${reason}`).join('; ') || 'nothing is proved yet';
    return onSite(site, {
      steps: [{ kind: 'dropAlias', alias }],
      events: [event('SwitchUndone', 'Switch', `${alias} is taken away from ${target.name} again: ${why}`, 'Warning')],
      waiting: { ...fenced(change), seconds: 0.05 },
    });
  }
  if (shown.length > 1) return { steps: [], waiting: { ...fenced(change), seconds: 0.02 } };
  return record(world, { active: { ...active, collection: target, generation: change.to }, change });
}
