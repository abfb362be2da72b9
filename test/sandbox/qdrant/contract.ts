import { after, before, describe } from 'node:test';
import { collections } from './contract/collections.ts';
import { operations } from './contract/operations.ts';
import { points } from './contract/points.ts';
import { search } from './contract/search.ts';
import { vectors } from './contract/vectors.ts';
import { type Subject, worldOf } from './contract/world.ts';

export type { Subject } from './contract/world.ts';

/**
 * What a Qdrant server answers, said once: runs against the embedded engine always, and against a real server where
 * there is one. A difference is a defect of the engine.
 */
export function contract(name: string, start: () => Promise<Subject>): void {
  describe(`the contract of a Qdrant server, kept by ${name}`, { timeout: 60_000 }, () => {
    let subject: Subject | undefined;
    const world = worldOf(() => {
      if (subject === undefined) throw new Error('the server has not been started');
      return subject;
    });
    before(async () => {
      subject = await start();
    });
    after(() => subject?.peers.close());
    for (const part of [collections, vectors, points, search, operations]) part(world);
  });
}
