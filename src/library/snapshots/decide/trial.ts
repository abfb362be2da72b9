import { ANNOTATIONS, type DomainLibrary, type GenerationStatus } from '../../../api/index.ts';
import type { Occurrence } from '../../../kube/index.ts';
import { generationName, publicName } from '../../names.ts';
import { generationsOf, type Note, type Plan, timestamp, withGeneration } from '../../plan.ts';
import { CREATE_PREDICATES, refusals } from '../../predicates.ts';
import type { Reason } from '../../reasons.ts';
import type { SeenWorld } from '../../world.ts';
import { restoreJobPrefix } from '../names.ts';
import { RESTORE_PREDICATES } from '../predicates.ts';
import { manifestsOf } from '../world.ts';
import { attemptsOf, failureOf, jobsNamed } from './attempts.ts';
import { restoreObjectsLeft } from './left.ts';
import { nextGeneration } from './rollback.ts';
import { rollbackNow, trialNow } from './under-way.ts';

type Trial = NonNullable<NonNullable<NonNullable<DomainLibrary['status']>['snapshots']>['trial']>;

/** Restores a snapshot into a generation that nobody sees, where the annotation asks for it; cleaning up drops that. */
export function tryOut(world: SeenWorld): Plan | undefined {
  const running = trialNow(world);
  if (running !== undefined) return goOn(world, running);
  if (rollbackNow(world) !== undefined) return undefined;
  const { library } = world;
  const asked = library.metadata.annotations?.[ANNOTATIONS.trySnapshot];
  if (asked === undefined || asked === library.status?.lastHandled?.['try-snapshot']) return restoreObjectsLeft(world);
  return start(world, asked);
}

const announce = (type: Occurrence['type'], reason: Reason, note: string): Occurrence => ({
  type,
  reason,
  action: 'Try',
  note: note.slice(0, 1000),
});

const AGAIN_SECONDS = 5;

function start(world: SeenWorld, name: string): Plan {
  const { library, look, cluster, now } = world;
  const manifest = manifestsOf(world.snapshots).find((each) => each.name === name);
  const handled = { 'try-snapshot': name.slice(0, 256) };
  const generation = nextGeneration(world);
  const trial: Trial = { name: name.slice(0, 512), generation, state: 'Running', startedAt: timestamp(now) };
  if (manifest === undefined) {
    const message = `SnapshotNotFound: there is no snapshot ${name}`.slice(0, 1024);
    return {
      steps: [],
      status: { handled, snapshots: { trial: { ...trial, state: 'Failed', finishedAt: timestamp(now), message } } },
      events: [announce('Warning', 'TrialFailed', message)],
    };
  }
  const subject = {
    look,
    cluster,
    credentialsProblem: manifest.destination === 's3' ? world.snapshots.credentialsProblem : undefined,
    changing: undefined,
    snapshotting: world.tasks.find(({ task, alive }) => task === 'snapshot' && alive)?.name,
  };
  const all = [...refusals(RESTORE_PREDICATES, subject, library), ...refusals(CREATE_PREDICATES, subject, library)];
  const blockedBy = [...new Map(all.map((each) => [each.name, each])).values()];
  if (blockedBy.length > 0) {
    const reasons = blockedBy.map((each) => `${each.name}: ${each.reason}`).join('; ');
    const message = `snapshot ${name} is not tried: ${reasons}`;
    const note: Note = { type: 'TrialBlocked', status: 'True', reason: 'PredicatesRefuse', message };
    return { steps: [], notes: [note], blockedBy, again: AGAIN_SECONDS };
  }
  const entry: GenerationStatus = {
    number: generation,
    collection: generationName(publicName(library), generation),
    cluster: cluster.metadata.name,
    state: 'Trial',
    specDigest: `snapshot ${name}`.slice(0, 128),
    createdAt: timestamp(now),
  };
  return {
    steps: [],
    status: { handled, snapshots: { trial }, generations: withGeneration(generationsOf(library.status), entry) },
  };
}

function goOn(world: SeenWorld, trial: Trial): Plan {
  const { library, tasks, now } = world;
  const { name, generation } = trial;
  const progress = world.snapshots.restores.get(generation);
  if (progress?.phase === 'Done' && progress.restored !== undefined) {
    const { points, proved, milliseconds } = progress.restored;
    const how = proved ? 'with the digest of the snapshot' : 'the snapshot has no digest';
    const message = `${points} points restored in ${(milliseconds / 1000).toFixed(1)} s, ${how}`;
    return end(
      world,
      { ...trial, state: 'Passed', message },
      announce('Normal', 'SnapshotVerified', `${name}: ${message}`),
    );
  }
  if (progress?.failure?.lasting === true) {
    const message = `${progress.failure.reason}: ${progress.failure.message}`.slice(0, 1024);
    return end(
      world,
      { ...trial, state: 'Failed', message },
      announce('Warning', 'TrialFailed', `${name}: ${message}`),
    );
  }
  const attempts = attemptsOf(jobsNamed(tasks, restoreJobPrefix(library.metadata.name, generation)), now);
  if (attempts.kind === 'running') return { steps: [] };
  if (attempts.kind === 'start') {
    return { steps: [{ kind: 'snapshot', order: { do: 'restore', name, generation, attempt: attempts.attempt } }] };
  }
  const { reason, message } = failureOf(progress);
  const note: Note = { type: 'TrialBlocked', status: 'True', reason, message: `snapshot ${name}: ${message}` };
  return { steps: [], notes: [note], again: attempts.seconds };
}

/** Its generation stays marked as a trial's: cleaning up drops such ones when none runs. */
function end({ now }: SeenWorld, trial: Trial, told: Occurrence): Plan {
  return { steps: [], status: { snapshots: { trial: { ...trial, finishedAt: timestamp(now) } } }, events: [told] };
}
