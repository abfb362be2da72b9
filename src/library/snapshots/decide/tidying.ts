import type { Plan } from '../../plan.ts';
import { refusals } from '../../predicates.ts';
import type { SeenWorld } from '../../world.ts';
import { destinationOf, placeOf } from '../destination.ts';
import { TIDY, tidyJobPrefix } from '../names.ts';
import { MAKE_PREDICATES, type SnapshotSubject } from '../predicates.ts';
import { manifestsOf } from '../world.ts';
import { attemptsOf, failureOf, jobsNamed } from './attempts.ts';
import { dropOf, type Retention, surplus } from './retention.ts';
import { usedSnapshots } from './under-way.ts';

/** What retention is decided from, for all but whether one more is about to be made. */
export const retentionOf = (world: SeenWorld): Omit<Retention, 'making'> => ({
  library: world.library,
  manifests: manifestsOf(world.snapshots),
  now: world.now,
  used: usedSnapshots(world.library),
  place: placeOf(destinationOf(world.library)),
  cluster: world.cluster.metadata.name,
});

const jobsOf = ({ tasks, library }: SeenWorld) => jobsNamed(tasks, tidyJobPrefix(library.metadata.name));

/** A Job that only drops: nothing else begins while it runs, and what is left of it is put away. */
export function tidyingNow(world: SeenWorld): Plan | undefined {
  const { tidying } = world.snapshots;
  if (tidying === undefined) return undefined;
  if (jobsOf(world).some(({ alive }) => alive)) return { steps: [] };
  const over = tidying.progress?.phase === 'Done' || surplusNow(world).length === 0;
  return over
    ? { steps: [{ kind: 'snapshot', order: { do: 'putAway', snapshots: [TIDY], restores: [] } }] }
    : undefined;
}

/** Retention acts by itself, for a library whose spec speaks of snapshots: the newest stays, however old. */
const surplusNow = (world: SeenWorld) =>
  world.library.spec.snapshots === undefined ? [] : surplus({ ...retentionOf(world), making: false });

const AGAIN_SECONDS = 5;

/** Drops what is too old, or too many, though no snapshot is about to be made. */
export function tidyUp(world: SeenWorld, subject: SnapshotSubject): Plan | undefined {
  const { library, now, snapshots } = world;
  const drop = surplusNow(world);
  if (drop.length === 0) return undefined;
  const attempts = attemptsOf(jobsOf(world), now);
  if (attempts.kind === 'running') return { steps: [] };
  const { reason, message } = failureOf(snapshots.tidying?.progress);
  const notes =
    attempts.kind === 'start' && attempts.attempt === 1
      ? []
      : [
          {
            type: 'SnapshotFailing' as const,
            status: 'True' as const,
            reason,
            message: `what is no longer kept is not dropped yet: ${message}`,
          },
        ];
  if (attempts.kind === 'later') return { steps: [], notes, again: attempts.seconds };
  // Dropping makes no files.
  const blockedBy = refusals(MAKE_PREDICATES, { ...subject, moving: undefined }, library);
  if (blockedBy.length > 0) return { steps: [], notes, blockedBy, again: AGAIN_SECONDS };
  const { attempt } = attempts;
  return { steps: [{ kind: 'snapshot', order: { do: 'tidy', attempt, drop: drop.map(dropOf) } }], notes };
}
