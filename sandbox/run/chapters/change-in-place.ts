import { seconds } from '../facts.ts';
import type { Chapter } from '../stage.ts';
import { isReady } from '../wait.ts';

export const changeInPlace: Chapter = {
  title: 'a library changes in place',
  play: async (stage, progress) => {
    const before = await stage.library('code', { holds: isReady, what: 'Ready', timeoutSeconds: 10 });
    const began = performance.now();
    await stage.changeLibrary('code', {
      hnsw: { m: 24 },
      payloadIndexes: [...(before.spec.payloadIndexes ?? []), { field: 'path', type: 'keyword' }],
    });
    const after = await stage.library('code', { holds: isReady, what: 'Ready', timeoutSeconds: 30 });
    const sameGeneration = before.status?.generation === after.status?.generation;
    await stage.using('code', async ({ client, collection }) => {
      const { config, payload_schema: indexes } = await client.collection(collection);
      const { m } = config.hnsw_config;
      progress(`hnsw m is ${m}, ${Object.keys(indexes).length} payload indexes`);
      stage.facts.check(
        'changed in place',
        `m=${m} after ${seconds(performance.now() - began)}, same generation`,
        m === 24 && sameGeneration && 'path' in indexes,
      );
    });
  },
};
