import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { VectorizationJob } from '../../src/api/index.ts';
import { type EmbedText, SEARCH_SECRET, SKETCH_LIMITS } from '../../src/gateway/index.ts';
import { randomNumbers } from '../../src/vectors/index.ts';
import { type Peer, Peers } from '../sandbox/qdrant/peers.ts';
import { call, codeOf, KEY, NAMESPACE, World } from './world.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
const peers = new Peers({ QDRANT__SERVICE__API_KEY: KEY });
const world = new World();
let one: Peer;
let two: Peer;
let gateway = '';

const DOMAINS = ['animals', 'bridges', 'cooking', 'deserts'];
const SIZE = 16;
const PER_LIBRARY = 300;
const random = randomNumbers(7);
const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Each domain around a direction of its own. */
const middle = (domain: number): number[] =>
  Array.from({ length: SIZE }, (_, at) => (at % DOMAINS.length === domain ? 1 : 0));
const near = (domain: number, spread = 0.15): number[] => middle(domain).map((value) => value + spread * gauss());

const direct = async (peer: Peer, method: string, path: string, body?: unknown): Promise<void> => {
  const answer = await call(`${peer.url}${path}`, { method, ...(body === undefined ? {} : { body }) });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
};

type Vectors = { readonly id: number; readonly vector: readonly number[] };
const written = new Map<string, Vectors[]>();

async function library(name: string, points: readonly Vectors[], { peer = one, cluster = 'one', size = SIZE } = {}) {
  const physical = `${name}--g1`;
  await direct(peer, 'PUT', `/collections/${physical}`, { vectors: { size, distance: 'Cosine' } });
  const actions = [{ create_alias: { alias_name: name, collection_name: physical } }];
  await direct(peer, 'POST', '/collections/aliases', { actions });
  const body = { points: points.map((point) => ({ ...point, payload: { of: name, even: point.id % 2 === 0 } })) };
  await direct(peer, 'PUT', `/collections/${physical}/points?wait=true`, body);
  written.set(name, [...points]);
  world.putLibrary(name, { cluster, url: peer.url }, { spec: { domain: `domain-${name}` } });
}

type Answer = {
  readonly hits: readonly {
    readonly library: string;
    readonly id: number;
    readonly score: number;
    readonly payload?: { of: string };
    readonly fused?: number;
  }[];
  readonly merged: string;
  readonly coverage: {
    readonly libraries: {
      readonly known: number;
      readonly asked: readonly string[];
      readonly unsketched: readonly string[];
      readonly skipped: readonly { readonly library: string; readonly reason: string }[];
      readonly failed: readonly { readonly library: string; readonly reason: string }[];
      readonly notOpened: number;
    };
    readonly clusters: { readonly known: number; readonly asked: number };
    readonly points: { readonly total: number; readonly searched: number };
    readonly missed: { readonly proved: boolean; readonly why: string; readonly expectedRecallPercent?: number };
  };
};

async function search(body: unknown, base = gateway): Promise<Answer> {
  const answer = await call(`${base}/search`, { method: 'POST', body });
  assert.equal(answer.status, 200, answer.text);
  return (answer.body as { result: Answer }).result;
}

/** Exactly, over all that was written. */
function nearest(query: readonly number[], limit: number): string[] {
  const length = (vector: readonly number[]): number => Math.hypot(...vector);
  const cosine = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0) / length(a) / length(b);
  return DOMAINS.flatMap((name) =>
    (written.get(name) ?? []).map(({ id, vector }) => ({ key: `${name} ${id}`, score: cosine(query, vector) })),
  )
    .toSorted((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(({ key }) => key);
}
const keys = ({ hits }: Answer): string[] => hits.map(({ library: name, id }) => `${name} ${id}`);

/** The middle of the domain that the text names. */
const embed: EmbedText = async ({ text, spec }) => {
  if (spec.model === 'broken') throw Object.assign(new Error('no'), { code: 'Unauthorized' });
  return middle(DOMAINS.findIndex((name) => text.includes(name)));
};

function job(name: string, library: string, model = 'm'): void {
  world.jobs.apply({
    apiVersion: 'qdrant-librarian.io/v1alpha1',
    kind: 'VectorizationJob',
    metadata: { name, namespace: NAMESPACE, uid: name },
    spec: {
      source: { configMap: { name: 'c' } },
      embedder: { protocol: 'Ollama', url: 'http://ollama', model, queryPrefix: 'query: ' },
      target: { libraryRef: { name: library } },
    },
  } as unknown as VectorizationJob);
}

before(
  async () => {
    [one, two] = [peers.add(), peers.add()];
    await Promise.all([one.start(), two.start()]);
    world.putCluster('one', one.url);
    world.putCluster('two', two.url);
    for (const [at, name] of DOMAINS.entries()) {
      const points = Array.from({ length: PER_LIBRARY }, (_, id) => ({ id, vector: near(at) }));
      await library(name, points, at % 2 === 0 ? {} : { peer: two, cluster: 'two' });
      job(`job-${name}`, name);
    }
    gateway = await world.gateway({ embed });
  },
  { timeout: 60_000 },
);
after(async () => {
  await world.close();
  await peers.close();
});

test('before anything is known of libraries all of them are asked', async () => {
  const answer = await search({ vector: middle(0), limit: 5 });
  assert.deepEqual(answer.coverage.libraries.asked, DOMAINS);
  assert.deepEqual(answer.coverage.libraries.unsketched, DOMAINS);
  assert.deepEqual(answer.coverage.missed, { proved: true, why: 'AllAsked' });
  assert.deepEqual(keys(answer), nearest(middle(0), 5));
  assert.deepEqual(answer.coverage.points, { total: 1200, searched: 1200 });
});

test('a search is routed by meaning to few libraries, finds what there is, and says what was left out and why', async () => {
  await world.last.sketchNow(AbortSignal.timeout(20_000));
  for (const [at, name] of DOMAINS.entries()) {
    const query = near(at);
    const answer = await search({ vector: query, limit: 10 });
    assert.deepEqual(answer.coverage.libraries.asked, [name]);
    assert.deepEqual(answer.coverage.libraries.unsketched, []);
    assert.deepEqual(keys(answer), nearest(query, 10));
    assert.equal(answer.coverage.libraries.skipped.length, 3);
    assert.equal(answer.coverage.points.searched, PER_LIBRARY);
    assert.equal(answer.coverage.clusters.asked, 1);
    assert.equal(answer.merged, 'score');
  }
});

test('where the bounds reach, it is proved that nothing was missed; else the expected recall is told', async () => {
  const clear = await search({ vector: middle(1), limit: 3, ask: 'proved' });
  assert.equal(clear.coverage.missed.proved, true);
  assert.deepEqual(keys(clear), nearest(middle(1), 3));
  const between = middle(0).map((value, at) => value + (middle(2)[at] ?? 0));
  const routed = await search({ vector: between, limit: 200 });
  const proved = await search({ vector: between, limit: 200, ask: 'proved' });
  assert.equal(proved.coverage.missed.proved, true);
  assert.deepEqual(keys(proved).toSorted(), nearest(between, 200).toSorted());
  assert.ok(routed.coverage.libraries.asked.length <= proved.coverage.libraries.asked.length);
});

test('a write through the gateway takes the proof away until the library was seen again', async () => {
  const fresh = { id: 9000, vector: near(1) };
  const path = `${gateway}/collections/bridges/points?wait=true`;
  assert.equal((await call(path, { method: 'PUT', body: { points: [fresh] } })).status, 200);
  written.get('bridges')?.push(fresh);
  const answer = await search({ vector: middle(0), limit: 3 });
  assert.equal(answer.coverage.missed.proved, false);
  assert.equal(answer.coverage.missed.why, 'LessSimilar');
  assert.ok((answer.coverage.missed.expectedRecallPercent ?? 0) >= 98);
  await sleep(2);
  await world.last.sketchNow(AbortSignal.timeout(20_000));
  assert.equal((await search({ vector: middle(0), limit: 3 })).coverage.missed.proved, false, 'points just came');
  await world.last.sketchNow(AbortSignal.timeout(20_000));
  assert.equal((await search({ vector: middle(0), limit: 3 })).coverage.missed.proved, true);
});

test('a library that has grown since its sketch was drawn is asked whatever the sketch says', async () => {
  const slow = await world.gateway({ embed, sketches: { ...SKETCH_LIMITS, restMilliseconds: 60_000 } });
  await world.last.sketchNow(AbortSignal.timeout(20_000));
  const grown = Array.from({ length: 40 }, (_, at) => ({ id: 10_000 + at, vector: near(3) }));
  await direct(two, 'PUT', '/collections/deserts--g1/points?wait=true', { points: grown });
  written.get('deserts')?.push(...grown);
  await world.last.sketchNow(AbortSignal.timeout(20_000));
  const answer = await search({ vector: middle(0), limit: 3 }, slow);
  assert.deepEqual(answer.coverage.libraries.asked, ['animals', 'deserts']);
  assert.deepEqual(answer.coverage.libraries.unsketched, ['deserts']);
});

test('a library that grows is not seen anew until it rests', async () => {
  const hasty = await world.gateway({ embed, sketches: { ...SKETCH_LIMITS, restMilliseconds: 1500 } });
  const gatewayOf = world.last;
  const look = () => gatewayOf.sketchNow(AbortSignal.timeout(20_000));
  await look();
  await sleep(1500);
  const more = Array.from({ length: 40 }, (_, at) => ({ id: 20_000 + at, vector: near(3) }));
  await direct(two, 'PUT', '/collections/deserts--g1/points?wait=true', { points: more });
  written.get('deserts')?.push(...more);
  const unsketched = async () => (await search({ vector: middle(0), limit: 3 }, hasty)).coverage.libraries.unsketched;
  await look();
  assert.deepEqual(await unsketched(), ['deserts'], 'it was growing a moment ago');
  await look();
  assert.deepEqual(await unsketched(), []);
});

test('a filter that leaves too few hits makes the search ask the others, too', async () => {
  const filter = { must: [{ key: 'of', match: { value: 'deserts' } }] };
  const answer = await search({ vector: middle(0), limit: 5, filter });
  assert.equal(answer.hits.length, 5);
  assert.ok(answer.hits.every(({ payload }) => payload?.of === 'deserts'));
  assert.deepEqual(answer.coverage.libraries.asked, DOMAINS);
});

test('exact asks all, and libraries and domains choose', async () => {
  assert.deepEqual((await search({ vector: middle(0), exact: true })).coverage.libraries.asked, DOMAINS);
  const chosen = await search({ vector: middle(0), libraries: ['cooking', 'nowhere'] });
  assert.deepEqual(chosen.coverage.libraries.asked, ['cooking']);
  assert.deepEqual(chosen.coverage.libraries.skipped, [{ library: 'nowhere', reason: 'NoSuchLibrary' }]);
  assert.equal(chosen.coverage.missed.proved, false);
  const domain = await search({ vector: middle(0), domains: ['domain-deserts'] });
  assert.deepEqual(domain.coverage.libraries.asked, ['deserts']);
});

test('a text is embedded once for libraries of one embedder, with its prefix', async () => {
  const texts: string[] = [];
  const counting = await world.gateway({
    embed: (asked) => {
      texts.push(asked.text);
      return embed(asked);
    },
  });
  const answer = await search({ text: 'about cooking', limit: 3 }, counting);
  assert.deepEqual(texts, ['query: about cooking']);
  assert.ok(answer.hits.every(({ library: name }) => name === 'cooking'));
  await search({ text: 'about cooking', limit: 3 }, counting);
  assert.equal(texts.length, 1, 'the vector was remembered');
});

const run = promisify(execFile);
const noCurl = spawnSync('curl', ['--version']).status !== 0;

test('the commands of docs/search.md do what they say', { skip: noCurl && 'curl is not installed' }, async () => {
  const guide = readFileSync(new URL('../../docs/search.md', import.meta.url), 'utf8');
  const [variables = '', ...commands] = [...guide.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text = '']) => text);
  assert.equal(commands.length, 2);
  const answers = commands.map(async (command) => {
    const env = { ...process.env, GATEWAY: `${gateway}/namespaces/${NAMESPACE}`, KEY };
    const { stdout } = await run('bash', ['-c', `${variables}\n${command}`], { env });
    return (JSON.parse(stdout) as { result: Answer }).result;
  });
  const [byText, byVector] = await Promise.all(answers);
  assert.equal(byText?.hits.length, 3);
  assert.ok(byText?.hits.every(({ library: name }) => name === 'bridges'));
  assert.ok(byVector?.hits.every(({ library: name, id }) => name === 'bridges' && id % 2 === 0));
  assert.equal(byVector?.coverage.missed.proved, true);
  // The example of an answer has the form of one.
  const [, example = ''] = /^```json\n([\s\S]*?)^```/m.exec(guide) ?? [];
  const shown = JSON.parse(example) as Answer;
  assert.deepEqual(Object.keys(shown), Object.keys(byVector ?? {}));
  assert.deepEqual(Object.keys(shown.coverage), Object.keys(byVector?.coverage ?? {}));
});

test('libraries of other models are merged by rank, and those that can not be asked are named', async () => {
  const other = Array.from({ length: 20 }, (_, id) => ({ id, vector: near(0) }));
  await library('elsewhere', other);
  await library('silent', other);
  await library('broken', other);
  await library('narrow', [{ id: 1, vector: [1, 2, 3] }], { size: 3 });
  job('job-elsewhere', 'elsewhere', 'another model');
  job('job-broken', 'broken', 'broken');
  job('job-narrow', 'narrow');
  const mixed = await world.gateway({ embed });
  const answer = await search({ text: 'about animals', limit: 10 }, mixed);
  assert.equal(answer.merged, 'reciprocalRank');
  const found = new Set(answer.hits.map(({ library: name }) => name));
  assert.deepEqual([...found].toSorted(), ['animals', 'elsewhere']);
  assert.ok(answer.hits.every(({ fused }) => typeof fused === 'number'));
  assert.deepEqual(answer.coverage.libraries.skipped, [
    { library: 'narrow', reason: 'OtherDimensions' },
    { library: 'silent', reason: 'NoEmbedder' },
  ]);
  assert.deepEqual(
    answer.coverage.libraries.failed.map(({ library: name, reason }) => [name, reason.split(':', 1)[0]]),
    [['broken', 'EmbedderFailed']],
  );
  assert.equal(answer.coverage.missed.proved, false);
});

test('a cluster that does not answer is named; the hits of the others come', async () => {
  const third = peers.add();
  await third.start();
  world.putCluster('three', third.url);
  const points = Array.from({ length: 20 }, (_, id) => ({ id, vector: near(0) }));
  await library('gone', points, { peer: third, cluster: 'three' });
  const hasty = await world.gateway({ embed, patience: { hold: 1000, retry: 300, read: 1000, write: 1000 } });
  await third.stop('SIGKILL');
  const answer = await search({ vector: middle(0), limit: 5 }, hasty);
  assert.equal(answer.hits.length, 5);
  assert.deepEqual(
    answer.coverage.libraries.failed.map(({ library: name, reason }) => [name, reason.split(':', 1)[0]]),
    [['gone', 'ClusterUnreachable']],
  );
  assert.equal(answer.coverage.missed.proved, false);
});

test("a search needs a key: a library's opens that cluster's libraries, the namespace's all", async () => {
  const url = `${gateway}/search`;
  const body = { vector: middle(0) };
  assert.equal(codeOf(await call(url, { method: 'POST', body, key: '' })), 'KeyMissing');
  assert.equal(codeOf(await call(url, { method: 'POST', body, key: 'wrong' })), 'KeyRefused');
  world.putSecret(SEARCH_SECRET, { 'api-key': 'for all' });
  const keyed = await world.gateway({ embed });
  const all = await call(`${keyed}/search`, { method: 'POST', body, key: 'for all' });
  assert.equal(all.status, 200, all.text);
  assert.equal((all.body as { result: Answer }).result.coverage.libraries.notOpened, 0);
  assert.equal(
    (await call(`${keyed}/collections/animals/exists`, { key: 'for all' })).status,
    401,
    'for searches only',
  );
});

test('a request that breaks a rule is told which', async () => {
  const wrong: [unknown, RegExp][] = [
    [{ text: 'a', vector: [1] }, /exactly one must be set/],
    [{ vector: [1, 'x'] }, /vector: .*list of numbers/],
    [{ text: 'a', limit: 0 }, /limit = 0: must be a whole number from 1 to 1000/],
    [{ text: 'a', colour: 'red' }, /colour = "red": is not a field/],
    [{ text: 'a', ask: 'some' }, /ask = "some": must be one of routed, proved, all/],
    [[], /the body/],
  ];
  for (const [body, message] of wrong) {
    const answer = await call(`${gateway}/search`, { method: 'POST', body });
    assert.equal(answer.status, 400);
    assert.match(answer.text.replaceAll('\\"', '"'), message);
  }
});

test('sketches of large libraries come from samples, which prove nothing', async () => {
  const sampling = await world.gateway({ embed, sketches: { ...SKETCH_LIMITS, wholePoints: 100, samplePoints: 120 } });
  await world.last.sketchNow(AbortSignal.timeout(20_000));
  const answer = await search({ vector: near(3), limit: 5, libraries: DOMAINS }, sampling);
  assert.ok(answer.hits.every(({ library: name }) => name === 'deserts'));
  assert.equal(answer.coverage.missed.proved, false);
  const proved = await search({ vector: near(3), limit: 5, libraries: DOMAINS, ask: 'proved' }, sampling);
  assert.deepEqual(proved.coverage.libraries.asked, DOMAINS, 'nothing can be proved but by asking all');
});
