import type { DomainLibrary } from '../../../api/index.ts';
import type { SeenWorld } from '../../world.ts';

type Of = Pick<SeenWorld, 'library'>;

/** The rollback that runs; undefined: none. */
export const rollbackNow = ({ library }: Of) => {
  const { rollback } = library.status ?? {};
  return rollback?.state === 'Running' ? rollback : undefined;
};

/** The trial restore that runs. */
export const trialNow = ({ library }: Of) => {
  const { trial } = library.status?.snapshots ?? {};
  return trial?.state === 'Running' ? trial : undefined;
};

/** What reads snapshots now, in words. */
export function restoringNow(world: Of): string | undefined {
  const rollback = rollbackNow(world);
  if (rollback !== undefined) return `a rollback to ${rollback.target} runs`;
  const trial = trialNow(world);
  return trial === undefined ? undefined : `snapshot ${trial.name} is being tried`;
}

/** Snapshots that must stay: they are being restored, or are to be. */
export const usedSnapshots = (library: DomainLibrary): ReadonlySet<string> => {
  const trial = trialNow({ library });
  const wanted = library.spec.rollback?.toSnapshot;
  return new Set([...(trial === undefined ? [] : [trial.name]), ...(wanted === undefined ? [] : [wanted])]);
};
