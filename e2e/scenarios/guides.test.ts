import assert from 'node:assert/strict';
import { isReady } from '../../sandbox/run/wait.ts';
import { rowOf } from '../../src/vectors/index.ts';
import { corpus } from '../../test/library/discovery/corpus.ts';
import { Guide } from '../stage/guide.ts';
import { scenarios } from '../stage/scenario.ts';

const scenario = await scenarios({ needs: ['kubectl'] });

const KEY = 'key-of-the-cloud';
const DIMENSIONS = 384;
const POINTS = 100;

scenario(
  'every command of the guide to moving does what the guide says: a library goes to a cloud and comes back',
  async (stage) => {
    const server = stage.ground.outsideQdrant();
    await server.start({ apiKey: KEY });
    const guide = await Guide.open(stage, 'moving.md', {
      instead: {
        'https://00000000-0000-0000-0000-000000000000.eu-central-1-0.aws.cloud.qdrant.io:6333': server.url,
        'the key that Qdrant Cloud shows once': KEY,
      },
    });
    await guide.save('cloud.yaml');
    await guide.save('docs.yaml');
    await stage.createCluster('main', { size: 1 });
    await stage.clusterReady('main', 1);
    const vectors = [{ name: '', size: DIMENSIONS, distance: 'Cosine' as const }];
    await stage.createLibrary('docs', 'main', { vectors, shards: { number: 1 } });
    await stage.libraryReady('docs', 1);
    const main = await stage.qdrant('main');
    const vector = (id: number) => Array.from({ length: DIMENSIONS }, (_, at) => Math.sin(id + at));
    const points = Array.from({ length: POINTS }, (_, id) => ({ id, vector: vector(id), payload: { id } }));
    await main.upsert('docs', points);

    let onCloud = 0;
    await guide.follow(async (command) => {
      if (/status\.cluster.*=cloud/.test(command)) onCloud = await (await stage.qdrant('cloud')).count('docs');
    });
    assert.equal(onCloud, POINTS);
    assert.match(guide.said(/apply -f cloud/), /qdrantcluster\.qdrant-librarian\.io\/cloud created/);
    assert.match(guide.said(/get dlib docs -o jsonpath='\{\.status\.change/), /^$|"toCluster":"cloud"/);
    const { status } = await stage.untilLibrary(
      'docs',
      (library) => isReady(library) && library.status?.cluster === 'main' && library.status.change === undefined,
      'back on main',
    );
    assert.equal(status?.generation, 3);
    assert.equal(await main.count('docs'), POINTS);
    assert.match(guide.said(/range \.status\.generations/), /^1 main Retired \n2 cloud Active 100\n$/);
  },
  ['outside-qdrant'],
);

scenario('every command of the guide to discovery does what the guide says', async (stage) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  const columns = 32;
  const vectors = [{ name: '', size: columns, distance: 'Cosine' as const }];
  await stage.createLibrary('docs', 'desk', { vectors, shards: { number: 1 } });
  await stage.libraryReady('docs', 1);
  const { points, texts } = corpus({ domains: 4, rows: 600, columns, likeness: 0.1, spread: 0.7, seed: 3 });
  const filled = texts.map((text, row) => ({ id: row + 1, vector: [...rowOf(points, row)], payload: { text } }));
  await (await stage.qdrant('desk')).upsert('docs', filled);

  const guide = await Guide.open(stage, 'discovery.md');
  await guide.follow();
  assert.match(guide.said(/discovery\.message/), /^4 domains: /);
  assert.match(guide.said(/docs-discovery/), /# Domains of docs--g1[\s\S]*astronomy/);
});
