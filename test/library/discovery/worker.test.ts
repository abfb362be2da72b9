import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type DiscoveryConfig, parseDiscoveryConfig } from '../../../src/library/discovery/config.ts';
import { DISCOVERY_KEYS, type DiscoveryProgress } from '../../../src/library/discovery/progress.ts';
import { runDiscoveryWorker } from '../../../src/library/discovery/worker.ts';
import { ConfigError, ProgressConflict, type ProgressStore } from '../../../src/migration/index.ts';
import { ClusterClient, type Point } from '../../../src/qdrant/index.ts';
import { silentLogger } from '../../../src/telemetry/index.ts';
import { rowOf } from '../../../src/vectors/index.ts';
import { Peers } from '../../sandbox/qdrant/peers.ts';
import { type CorpusOptions, corpus } from './corpus.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
const peers = new Peers();
let directory: string;
let client: ClusterClient;
let addresses: { name: string; rest: string }[];

before(
  async () => {
    directory = await mkdtemp(join(tmpdir(), 'discovery-worker-'));
    const cluster = await peers.cluster(1);
    addresses = cluster.map(({ url }, at) => ({ name: `docs-${at}`, rest: url }));
    client = new ClusterClient({ peers: addresses });
  },
  { timeout: 60_000 },
);
after(async () => {
  await client.close();
  await peers.close();
  await rm(directory, { recursive: true, force: true });
});

/** What the ConfigMap would hold. */
class Kept {
  progress: DiscoveryProgress | undefined;
  texts: Readonly<Record<string, string>> = {};
  writes = 0;

  store = (more: () => Readonly<Record<string, string>>): ProgressStore<DiscoveryProgress> => ({
    read: () => Promise.resolve({ progress: this.progress, version: String(this.writes) }),
    write: (progress, version) => {
      if (version !== String(this.writes)) return Promise.reject(new ProgressConflict('conflict'));
      this.writes += 1;
      this.progress = structuredClone(progress);
      this.texts = { ...this.texts, ...more() };
      return Promise.resolve(String(this.writes));
    },
  });
}

const configOf = (collection: string, change: Partial<DiscoveryConfig> = {}): DiscoveryConfig => ({
  version: 1,
  task: 'discover',
  change: `change-${collection}`,
  progress: { namespace: 'team', name: 'mixed-discovery' },
  leaseSeconds: 20,
  pageSize: 200,
  side: { collection, peers: addresses, apiKey: false, ca: false },
  vector: '',
  notes: [],
  sampleSize: 5000,
  maxDomains: 16,
  minSharePercent: 2,
  seed: 1,
  ...change,
});

let files = 0;
async function run(config: DiscoveryConfig, kept = new Kept(), signal?: AbortSignal) {
  files += 1;
  const configFile = join(directory, `${files}.json`);
  await writeFile(configFile, JSON.stringify(config));
  const options = { configFile, environment: {}, log: silentLogger, store: kept.store };
  const code = await runDiscoveryWorker({ ...options, signal: signal ?? new AbortController().signal });
  return { code, kept };
}

type Filling = Partial<CorpusOptions> & {
  readonly name?: string;
  readonly text?: (text: string, label: number) => object;
};

/** A collection with made-up points; ids are integers, so that their order says nothing of domains. */
async function fill(collection: string, { name, text = (words) => ({ text: words }), ...wanted }: Filling) {
  const made = corpus({ domains: 4, rows: 800, columns: 32, likeness: 0.05, spread: 0.8, seed: 1, ...wanted });
  const vectors = { size: 32, distance: 'Cosine' as const };
  await client.createCollection(collection, { vectors: name === undefined ? vectors : { [name]: vectors } });
  const points = made.texts.map((words, row): Point => {
    const vector = [...rowOf(made.points, row)];
    const label = made.labels[row] ?? 0;
    return {
      id: BigInt(row),
      vector: name === undefined ? vector : { [name]: vector },
      payload: { ...text(words, label) },
    };
  });
  await client.upsert(collection, points);
  return made;
}

test('clear domains are found in a collection, named by their texts, and reported for programs and people', async () => {
  await fill('clear', {});
  const { code, kept } = await run(configOf('clear'));
  assert.equal(code, 0);
  const { result, phase, holder } = kept.progress ?? assert.fail('no progress');
  assert.deepEqual([phase, holder.released, result?.outcome, result?.points], ['Done', true, 'Domains', 800]);
  const names = result?.domains.flatMap(({ name }) => name.split('-')) ?? [];
  for (const subject of ['astronomy', 'botany', 'cooking', 'dentistry']) assert.ok(names.includes(subject), subject);
  assert.deepEqual(
    result?.domains.map(({ points }) => points),
    [200, 200, 200, 200],
  );
  assert.match(kept.texts[DISCOVERY_KEYS.text] ?? '', /# Domains of clear/);
  assert.equal(JSON.parse(kept.texts[DISCOVERY_KEYS.report] ?? '').outcome, 'Domains');
});

test('a collection of one domain has none', async () => {
  await fill('one', { domains: 1, likeness: 0, spread: 1 });
  const { kept } = await run(configOf('one'));
  assert.equal(kept.progress?.result?.outcome, 'NoDomains');
  assert.match(kept.progress?.result?.message ?? '', /^no domains here: apart/);
  assert.deepEqual(kept.progress?.result?.domains, []);
});

test('without text domains bear numbers, and the report says why', async () => {
  await fill('mute', { text: () => ({}) });
  const { kept } = await run(configOf('mute'));
  assert.deepEqual(
    kept.progress?.result?.domains.map(({ name }) => name),
    ['domain-1', 'domain-2', 'domain-3', 'domain-4'],
  );
  assert.match(kept.texts[DISCOVERY_KEYS.report] ?? '', /no point has text in payload field text/);
});

test('a named vector, a sample smaller than the collection, and points that lack the vector', async () => {
  await fill('named', { name: 'meaning' });
  await client.upsert('named', [{ id: 5000n, vector: {}, payload: {} }]);
  const { kept } = await run(configOf('named', { vector: 'meaning', sampleSize: 801 }));
  assert.equal(kept.progress?.result?.sampled, 800);
  assert.match(kept.texts[DISCOVERY_KEYS.report] ?? '', /1 sampled points have no such vector/);
  const small = await run(configOf('named', { vector: 'meaning', sampleSize: 400 }));
  const { points, sampled, domains } = small.kept.progress?.result ?? assert.fail('no result');
  assert.deepEqual([points, sampled <= 400, sampled > 390, domains.length], [801, true, true, 4]);
  assert.ok(Math.abs((domains[0]?.points ?? 0) - 200) < 40, 'points are those of the whole collection');
});

test('the same seed draws the same sample', async () => {
  const again = async (seed: number) => {
    const { kept } = await run(configOf('clear', { sampleSize: 300, seed }));
    return kept.texts[DISCOVERY_KEYS.report];
  };
  assert.equal(await again(5), await again(5));
  assert.notEqual(await again(5), await again(6));
});

test('too few points are told apart from no domains, and the old report goes', async () => {
  await fill('few', { rows: 60 });
  const kept = new Kept();
  kept.texts = { [DISCOVERY_KEYS.report]: 'old', [DISCOVERY_KEYS.text]: 'old' };
  await run(configOf('few'), kept);
  assert.equal(kept.progress?.result?.outcome, 'TooSmall');
  assert.match(kept.progress?.result?.message ?? '', /has 60 points; domains are looked for from 100 on/);
  assert.equal(JSON.parse(kept.texts[DISCOVERY_KEYS.report] ?? '').outcome, 'TooSmall');
});

test('what is done is not done again, and another change is', async () => {
  const { kept } = await run(configOf('one'));
  const { writes } = kept;
  assert.equal((await run(configOf('one'), kept)).code, 0);
  assert.equal(kept.writes - writes, 2, 'takes over and releases');
  await run(configOf('one', { change: 'another' }), kept);
  assert.equal(kept.progress?.change, 'another');
});

test('a failure is told by reason, and the next attempt clears it', async () => {
  const missing = await run(configOf('missing'));
  assert.equal(missing.code, 1);
  assert.equal(missing.kept.progress?.failure?.reason, 'QdrantFailed');
  assert.equal(missing.kept.progress?.phase, 'Running');
  await fill('missing', { rows: 200 });
  assert.equal((await run(configOf('missing'), missing.kept)).code, 0);
  assert.deepEqual([missing.kept.progress?.failure, missing.kept.progress?.phase], [undefined, 'Done']);
});

test('it stops when told to', async () => {
  assert.equal((await run(configOf('clear'), new Kept(), AbortSignal.abort(new Error('enough')))).code, 143);
});

test('a configuration that is none is refused with the field that is wrong', () => {
  const config = configOf('x');
  assert.deepEqual(parseDiscoveryConfig(JSON.stringify(config)), config);
  assert.throws(() => parseDiscoveryConfig('{'), ConfigError);
  assert.throws(() => parseDiscoveryConfig(JSON.stringify({ ...config, maxDomains: 1 })), /maxDomains/);
});
