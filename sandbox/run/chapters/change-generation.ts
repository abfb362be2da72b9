import { seconds } from '../facts.ts';
import type { Chapter } from '../stage.ts';
import { isReady } from '../wait.ts';

/** Beyond all ids that the load of scaling has used. */
const FIRST_ID = 1_000_000;

export const changeGeneration: Chapter = {
  title: 'a library gets a new generation under load',
  play: async (stage, progress) => {
    const { facts } = stage;
    await stage.startLoad('documentation', { firstId: FIRST_ID, way: 'binding' });
    const before = await stage.library('documentation', { holds: isReady, what: 'Ready', timeoutSeconds: 10 });
    const target = (before.status?.generation ?? 0) + 1;
    const began = performance.now();
    await stage.changeLibrary('documentation', { shards: { ...before.spec.shards, number: 4 } });
    const steps = new Set<string>();
    const after = await stage.library('documentation', {
      holds: (library) => {
        const step = library.status?.change?.step;
        if (step !== undefined) progress([...steps.add(step)].join(' -> '));
        return isReady(library) && library.status?.generation === target;
      },
      what: `Ready in generation ${target}`,
      timeoutSeconds: 45,
    });
    facts.note('new generation after', seconds(performance.now() - began));
    const old = after.status?.generations?.find(({ number }) => number === before.status?.generation);
    const state = old?.state ?? '';
    facts.check('old generation kept', `${old?.collection ?? 'gone'} ${state}`, state === 'Retired');
    await stage.endLoads('the change of generation');
  },
};
