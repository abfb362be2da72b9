import assert from 'node:assert/strict';
import type { QdrantFault } from '../ground.ts';
import { eventually } from '../stage/eventually.ts';
import { scenarios } from '../stage/scenario.ts';

const scenario = await scenarios({ needs: ['qdrant-faults'] });

/** Every kind of trouble that a peer can make, on everything that is not a health check, so many times in a row. */
const KINDS: Readonly<Record<string, QdrantFault>> = {
  'answers slowly': { match: '/collections', kind: 'slow', milliseconds: 700, count: 12 },
  'answers 500': { match: '/collections', kind: 'error', status: 500, count: 12 },
  'answers 429': { match: '/collections', kind: '429', count: 12 },
  'answers nonsense': { match: '/collections', kind: 'nonsense', count: 12 },
  'cuts connections': { match: '/collections', kind: 'cut', count: 12 },
  'answers nonsense about its cluster': { match: '/cluster$', kind: 'nonsense', count: 12 },
};

scenario('a peer that makes trouble holds a library up, but not for ever, and breaks nothing', async (stage) => {
  await stage.createCluster('desk', { size: 2 });
  await stage.clusterReady('desk', 2);
  const qdrant = await stage.qdrant('desk');
  let number = 0;
  for (const [what, fault] of Object.entries(KINDS)) {
    number += 1;
    const name = `docs-${number}`;
    await stage.ground.strikeQdrant(stage.key('desk-1'), fault);
    await stage.createLibrary(name, 'desk', { shards: { number: 1, replicationFactor: 2 } });
    await stage.libraryReady(name, 1);
    await stage.ground.strikeQdrant(stage.key('desk-1'), fault);
    await stage.changeLibrary(name, {
      spec: { hnsw: { m: 24 }, payloadIndexes: [{ field: 'kind', type: 'keyword' }] },
    });
    await eventually(`a peer that ${what}: ${name} is changed`, async () => {
      const views = await Promise.all(qdrant.peers.map((peer) => peer.collection(name)));
      return views.every(({ config, payload_schema: schema }) => config.hnsw_config.m === 24 && 'kind' in schema);
    });
    await stage.ground.healQdrant(stage.key('desk-1'));
    await stage.libraryReady(name, 1);
  }
  assert.deepEqual(
    (await qdrant.collections()).toSorted(),
    Object.keys(KINDS).map((_, index) => `docs-${index + 1}--g1`),
    'nothing was made twice',
  );
  await stage.clusterReady('desk', 2);
});

scenario('nobody answers as Qdrant does: conditions say so, and nothing is taken for missing', async (stage) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  await stage.createLibrary('docs', 'desk');
  await stage.libraryReady('docs', 1);
  const pod = stage.key('desk-0');
  await stage.ground.strikeQdrant(pod, { match: '/collections', kind: 'nonsense', count: 100_000 });
  await stage.librarySays('docs', 'Ready', { status: 'False', reason: 'QdrantFailed' });
  await stage.ground.healQdrant(pod);
  await stage.libraryReady('docs', 1);
  await stage.ground.strikeQdrant(pod, { match: '/collections', kind: 'error', status: 500, count: 100_000 });
  await stage.librarySays('docs', 'Ready', { status: 'False', reason: 'QdrantFailed', message: /500/ });
  await stage.ground.healQdrant(pod);
  await stage.libraryReady('docs', 1);
  assert.deepEqual(await (await stage.qdrant('desk')).collections(), ['docs--g1']);
});
