import type { Chapter } from '../stage.ts';

export const readBack: Chapter = {
  title: 'all points read back',
  play: async (stage, progress) => {
    for (const [library, written] of stage.written) {
      await stage.using(library, async ({ client, collection }) => {
        let read = 0;
        for await (const { id } of client.scrollAll(collection, { limit: 1000 })) {
          // Points of the load have numbers.
          if (typeof id === 'string') read += 1;
        }
        progress(`${library}: ${read}`);
        stage.facts.check(`${library}: passages read of written`, `${read} of ${written}`, read === written);
      });
    }
  },
};
