import { applyAll } from '../../install.ts';
import { examples } from '../examples.ts';
import { seconds } from '../facts.ts';
import type { Chapter } from '../stage.ts';
import { isReady } from '../wait.ts';

export const libraries: Chapter = {
  title: 'libraries: documentation, code, dependencies, analytics',
  play: async (stage, progress) => {
    const began = performance.now();
    await applyAll(stage.sandbox.admin, await examples('libraries.yaml'));
    await Promise.all(
      ['documentation', 'code', 'dependencies', 'analytics'].map(async (name) => {
        const { status } = await stage.library(name, { holds: isReady, what: 'Ready', timeoutSeconds: 30 });
        progress(`${name} lives on ${status?.cluster ?? '?'} as ${status?.collection ?? '?'}`);
      }),
    );
    stage.facts.note('libraries Ready after', seconds(performance.now() - began));
  },
};
