import assert from 'node:assert/strict';
import type { DomainLibrarySpec } from '../../src/api/index.ts';
import { library, Sim, type SimQdrant } from './sim.ts';

/** A library that is ready on main and holds ten points; cloud is there, too. */
export function filled(spec: Partial<DomainLibrarySpec> = {}): { sim: Sim; cloud: SimQdrant } {
  const sim = new Sim(library(spec));
  const cloud = sim.add('cloud');
  sim.settle(10);
  for (let id = 0; id < 10; id += 1) assert.ok(sim.write(id, `first ${id}`));
  return { sim, cloud };
}

export const to = (name: string) => ({ placement: { clusterRef: { name } } });

export const until = (sim: Sim, step: string): void => {
  for (let round = 0; round < 60 && sim.library.status?.change?.step !== step; round += 1) {
    sim.work();
    sim.pass();
    sim.now += 1000;
  }
  assert.equal(sim.library.status?.change?.step, step);
};

/** What lets clients write under the public name, and where. */
export const accepting = (sim: Sim): string[] =>
  [...sim.qdrants.values()]
    .filter((at) => {
      if (at.sight.kind === 'blind') return false;
      const collection = at.answering('docs');
      return collection !== undefined && collection.info.config.strict_mode_config?.write_rate_limit !== 1;
    })
    .map(({ name }) => name);
