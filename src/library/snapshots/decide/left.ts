import type { Plan } from '../../plan.ts';
import type { SeenWorld } from '../../world.ts';

/** Puts away Jobs and configurations of restores that are over. */
export function restoreObjectsLeft({ snapshots, tasks }: SeenWorld): Plan | undefined {
  const restores = snapshots.restoreObjects;
  if (restores.length === 0 || tasks.some(({ task, alive }) => task === 'restore' && alive)) return undefined;
  return { steps: [{ kind: 'snapshot', order: { do: 'putAway', snapshots: [], restores } }] };
}
