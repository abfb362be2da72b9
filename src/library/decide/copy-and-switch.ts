import type { Blocker, GenerationChange } from '../../api/index.ts';
import type { Progress } from '../../migration/index.ts';
import type { CollectionLook } from '../look.ts';
import { publicName } from '../names.ts';
import type { Event, Plan, Step } from '../plan.ts';
import {
  FENCE_PREDICATES,
  type FenceSubject,
  fenceAgeSeconds,
  refusals,
  SWITCH_PREDICATES,
  workersKeyRefused,
} from '../predicates.ts';
import type { SeenWorld } from '../world.ts';
import type { Active } from './active.ts';
import { fenceStep, unfenceStep } from './fence.ts';

export type Copying = { readonly active: Active; readonly change: GenerationChange; readonly target: CollectionLook };

/** The target stands: fill it, hold writes back, have both sides proved equal, switch. */
export function copyAndSwitch(world: SeenWorld, copying: Copying): Plan {
  const { active, change } = copying;
  const progress = progressOf(world, change);
  const reported = withProgress(world, change, progress);
  if (active.collection.fencedSomewhere) return underFence(world, { ...copying, change: reported }, progress);
  const worker = ensureWorker(world, { ...copying, change: reported });
  if (worker !== undefined) return worker;
  if (progress === undefined || progress.phase === 'Copying') return waitFor(world, { ...reported, step: 'Copying' });
  const subject = subjectOf(world, copying, progress);
  const blockedBy = refusals(FENCE_PREDICATES, subject, world.library);
  if (blockedBy.length > 0) return waitFor(world, { ...reported, step: 'Converging' }, blockedBy);
  const fence = fenceStep(active.collection, change.to, world.now);
  return {
    steps: fence === undefined ? [] : [fence],
    status: { change: { ...reported, step: 'Fenced' } },
    events: [event('Fenced', 'Fence', `writes to ${active.collection.name} are held back for the switch`)],
    waiting: fenced(change),
  };
}

/** Only what belongs to this change counts. */
export function progressOf({ library, progress }: SeenWorld, { to }: GenerationChange): Progress | undefined {
  return progress?.change === `${library.metadata.uid}/${to}` ? progress : undefined;
}

function withProgress({ job }: SeenWorld, change: GenerationChange, progress: Progress | undefined): GenerationChange {
  const { blockedBy: _blockedBy, job: _job, ...rest } = change;
  return {
    ...rest,
    ...(job === undefined ? {} : { job: job.name }),
    ...(progress === undefined ? {} : { passes: progress.passes, copied: progress.copied, total: progress.total }),
  };
}

const event = (reason: string, action: string, note: string, type: Event['type'] = 'Normal'): Event => ({
  type,
  reason,
  action,
  note,
});

/** Soon, because clients wait. */
const FENCED_SECONDS = 0.2;
const fenced = ({ to }: GenerationChange) => ({
  reason: 'Fenced' as const,
  message: `writes are held back until generation ${to} is proved and switched to`,
  seconds: FENCED_SECONDS,
});

function subjectOf(
  world: SeenWorld,
  { active, change, target }: Copying,
  progress: Progress | undefined,
): FenceSubject {
  const { look, library, memory, settings, now } = world;
  const gap = !active.byAlias && active.collection.name === publicName(library);
  return {
    look,
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

const BACKOFF_SECONDS = 5;
const MAX_BACKOFF_SECONDS = 600;

/** A Job that copies, and one only: the next attempt begins when the one before is gone. */
export function ensureWorker(world: SeenWorld, { active, change, target }: Copying): Plan | undefined {
  const { job, otherJobs, now, settings } = world;
  if (otherJobs.length > 0) {
    const message = `an earlier copy ends: ${otherJobs.join(', ')}`;
    return {
      steps: [{ kind: 'stopCopy', jobs: otherJobs }],
      waiting: { reason: 'Changing', message, seconds: settings.busySeconds },
    };
  }
  if (job?.state === 'running') return undefined;
  // One that ended well before the switch has not done its work either.
  const ended = job;
  const attempt = (job?.attempt ?? 0) + 1;
  if (ended !== undefined && attempt > settings.copyAttempts) {
    return {
      steps: [],
      stalled: true,
      waiting: {
        reason: 'CopyFailed',
        message: `the copy failed ${ended.attempt} times: ${whyFailed(world)}; delete Job ${ended.name} to try again`,
        seconds: settings.resyncSeconds,
      },
    };
  }
  const delay = ended === undefined ? 0 : Math.min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** (ended.attempt - 1));
  const left = ended === undefined ? 0 : delay - (now - (ended.endedAt ?? now)) / 1000;
  if (left > 0) {
    const message = `attempt ${attempt - 1} of the copy ended early: ${whyFailed(world)}; the next one begins in ${Math.ceil(delay)} s`;
    return { steps: [], waiting: { reason: 'CopyFailed', message, seconds: Math.max(settings.busySeconds, left) } };
  }
  const refused = workersKeyRefused(world.cluster);
  if (refused !== undefined) {
    const message = `attempt ${attempt} of the copy waits: ${refused}`;
    return { steps: [], waiting: { reason: 'Unauthorized', message, seconds: settings.busySeconds } };
  }
  const copy: Step = {
    kind: 'startCopy',
    from: active.collection.name,
    to: target.name,
    generation: change.to,
    attempt,
  };
  return {
    steps: [copy],
    status: { change: { ...change, step: change.step === 'Building' ? 'Copying' : change.step } },
    events:
      attempt === 1
        ? []
        : [event('CopyRetried', 'Copy', `attempt ${attempt} of copying generation ${change.to}`, 'Warning')],
    waiting: {
      reason: 'Changing',
      message: `attempt ${attempt} of copying generation ${change.to} begins`,
      seconds: settings.busySeconds,
    },
  };
}

const whyFailed = ({ progress }: SeenWorld): string =>
  progress?.failure === undefined
    ? 'see the log of its pod'
    : `${progress.failure.reason}: ${progress.failure.message}`;

/** Writes are held back: prove and switch, or give clients their way again. */
function underFence(world: SeenWorld, copying: Copying, progress: Progress | undefined): Plan {
  const { active, change, target } = copying;
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
    return switchOver(world, { active, change, target });
  }
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

function switchOver({ library }: SeenWorld, { active, change, target }: Copying): Plan {
  const { collection, byAlias } = active;
  const alias = publicName(library);
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
    events: [event('Switched', 'Switch', `${alias} leads to generation ${change.to}`)],
    waiting: { ...fenced(change), seconds: 0.02 },
  };
}
