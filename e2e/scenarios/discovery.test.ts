import assert from 'node:assert/strict';
import { ANNOTATIONS } from '../../src/api/index.ts';
import { CONFIG_MAPS } from '../../src/kube/index.ts';
import type { DiscoveryReport } from '../../src/library/discovery/report.ts';
import { rowOf } from '../../src/vectors/index.ts';
import { type CorpusOptions, corpus } from '../../test/library/discovery/corpus.ts';
import { scenarios } from '../stage/scenario.ts';
import type { Stage } from '../stage/stage.ts';

const scenario = await scenarios();

const COLUMNS = 32;
const VECTORS = { vectors: [{ name: '', size: COLUMNS, distance: 'Cosine' as const }] };

/** Points of made-up domains, whose texts say which. */
async function fill(stage: Stage, library: string, wanted: Partial<CorpusOptions> = {}): Promise<void> {
  const options = { domains: 4, rows: 600, columns: COLUMNS, likeness: 0.1, spread: 0.7, seed: 3, ...wanted };
  const { points, texts } = corpus(options);
  const qdrant = await stage.qdrant('desk');
  const filled = texts.map((text, row) => ({ id: row + 1, vector: [...rowOf(points, row)], payload: { text } }));
  await qdrant.upsert(library, filled);
}

scenario('a library of four domains is told apart and named; one of a single domain has none', async (stage) => {
  await stage.createCluster('desk', { size: 1 });
  await stage.clusterReady('desk', 1);
  for (const name of ['mixed', 'plain']) {
    await stage.createLibrary(name, 'desk', VECTORS);
    await stage.libraryReady(name, 1);
  }
  await fill(stage, 'mixed');
  await fill(stage, 'plain', { domains: 1, likeness: 0, spread: 1 });

  await stage.changeLibrary('mixed', { spec: { discovery: { maxDomains: 8 } } });
  await stage.changeLibrary('plain', { metadata: { annotations: { [ANNOTATIONS.discover]: 'now' } } });

  await stage.eventSays('mixed', 'DomainsFound');
  const mixed = await stage.untilLibrary('mixed', ({ status }) => status?.discovery?.outcome === 'Domains', 'finding');
  const names = mixed.status?.discovery?.domains?.flatMap(({ name }) => name.split('-')) ?? [];
  for (const subject of ['astronomy', 'botany', 'cooking', 'dentistry']) assert.ok(names.includes(subject), subject);
  assert.deepEqual(
    mixed.status?.discovery?.domains?.map(({ points }) => points),
    [150, 150, 150, 150],
  );

  const plain = await stage.untilLibrary(
    'plain',
    ({ status }) => status?.discovery?.outcome === 'NoDomains',
    'finding none',
  );
  assert.match(plain.status?.discovery?.message ?? '', /^no domains here: /);
  assert.equal(plain.status?.lastHandled?.['discover'], 'now');

  const report = await stage.admin.get(CONFIG_MAPS, stage.key(mixed.status?.discovery?.report ?? ''));
  assert.equal((JSON.parse(report.data?.['report.json'] ?? '') as DiscoveryReport).domains.length, 4);
  assert.match(report.data?.['report.md'] ?? '', /# Domains of mixed--g1/);
});
