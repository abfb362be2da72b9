import type { PointId } from '../../../src/qdrant/index.ts';
import { compared } from '../ledger.ts';
import type { Chapter } from '../stage.ts';

export const readBack: Chapter = {
  title: 'all points read back',
  play: async (stage, progress) => {
    const { facts, ledger } = stage;
    for (const [library, written] of stage.written) {
      await stage.using(library, async ({ client, collection }) => {
        const read = new Set<PointId>();
        for await (const { id } of client.scrollAll(collection, { limit: 1000, withPayload: false })) {
          // Points of the load have numbers.
          if (typeof id === 'string') read.add(id);
        }
        const entry = compared(written, read);
        ledger.add(entry);
        progress(`${library}: ${read.size}`);
        const told = `${entry.acknowledged - entry.lost} of ${entry.acknowledged}`;
        facts.check(`${library}: passages read of written`, told, entry.lost + entry.phantoms === 0);
      });
    }
    const { acknowledged, lost, phantoms } = ledger.total;
    facts.check('points lost', `${lost} of ${acknowledged}`, lost === 0 && acknowledged > 0);
    facts.check('phantom points', String(phantoms), phantoms === 0);
  },
};
