import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, cellCounts } from '../../../src/library/discovery/candidates.ts';
import { choose, findDomains } from '../../../src/library/discovery/find.ts';
import { merged } from '../../../src/library/discovery/merge.ts';
import { judge } from '../../../src/library/discovery/rules.ts';
import { drawn, kMeans, matrixOf, randIndex, randomNumbers, unit, zeros } from '../../../src/vectors/index.ts';
import { type CorpusOptions, corpus } from './corpus.ts';

const options = { maxDomains: 16, minShare: 0.02, seed: 7 };
const found = async (wanted: Partial<CorpusOptions>) => {
  const { points, labels } = corpus({ domains: 5, rows: 900, likeness: 0.05, spread: 0.8, seed: 1, ...wanted });
  const result = await findDomains(points, options);
  return { ...result, agreement: randIndex(result.labels, labels) };
};
const refusing = (result: Awaited<ReturnType<typeof found>>): string[] =>
  result.rulings.filter(({ held }) => !held).map(({ rule }) => rule);

for (const [what, wanted] of Object.entries({
  clear: {},
  overlapping: { likeness: 0.4, spread: 1 },
  'of unequal size': { domains: 3, weights: [60, 30, 10] },
} satisfies Record<string, Partial<CorpusOptions>>)) {
  test(`domains that are ${what} are found`, async () => {
    const result = await found(wanted);
    assert.deepEqual(refusing(result), []);
    assert.ok(result.agreement > 0.95, `adjusted Rand index ${result.agreement}`);
  });
}

for (const [what, wanted, rule] of [
  ['one domain with topics', { domains: 1, likeness: 0, spread: 1 }, 'apart'],
  ['noise', { domains: 1, likeness: 0, spread: 6 }, 'stable'],
  ['domains that hardly differ', { likeness: 0.85, spread: 1.3 }, 'apart'],
  ['nearly all in one domain', { domains: 2, weights: [96, 4] }, 'not-one-alone'],
] satisfies [string, Partial<CorpusOptions>, string][]) {
  test(`no domains: ${what}`, async () => {
    const result = await found(wanted);
    assert.equal(result.hasDomains, false);
    assert.ok(refusing(result).includes(rule), refusing(result).join(', '));
  });
}

test('columns shuffled apart are no domains any more', async () => {
  const { points } = corpus({ domains: 5, rows: 900, likeness: 0.05, spread: 0.8, seed: 3 });
  const shuffled = { ...points, data: points.data.slice() };
  const random = randomNumbers(11);
  for (let column = 0; column < points.columns; column += 1) {
    drawn(points.rows, points.rows, random).forEach((other, row) => {
      shuffled.data[row * points.columns + column] = points.data[other * points.columns + column] ?? 0;
    });
  }
  const result = await findDomains(unit(shuffled), options);
  assert.equal(result.hasDomains, false);
});

test('the same points and seed give the same answer', async () => {
  const wanted = { rows: 400, domains: 3 };
  assert.deepEqual(await found(wanted), await found(wanted));
});

test('points that are all the same are one domain', async () => {
  const points = { ...zeros(200, 4), data: new Float32Array(800).fill(0.5) };
  const result = await findDomains(points, options);
  assert.deepEqual([result.hasDomains, result.shares], [false, [1]]);
});

test('not more domains than allowed, none smaller than allowed', async () => {
  const { points, labels } = corpus({ domains: 6, rows: 600, likeness: 0.05, spread: 0.8, seed: 2 });
  const { labels: cells } = await kMeans(points, { k: 12, seed: 1 });
  const count = (rules: { maxDomains: number; minShare: number }): number =>
    new Set(merged(points, cells, { nearness: 0.85, ...rules })).size;
  assert.equal(count({ maxDomains: 32, minShare: 0.01 }), 6);
  assert.equal(count({ maxDomains: 4, minShare: 0.01 }), 4);
  assert.ok(count({ maxDomains: 32, minShare: 0.3 }) <= 3);
  assert.equal(new Set(labels).size, 6);
});

test('domains are numbered from the largest down', () => {
  const points = unit(
    matrixOf([
      [1, 0],
      [0, 1],
      [0, 1],
    ]),
  );
  const domains = merged(points, Int32Array.from([0, 1, 1]), { nearness: 0.85, maxDomains: 9, minShare: 0 });
  assert.deepEqual([...domains], [1, 0]);
});

const candidate = (change: Partial<Candidate>): Candidate => ({
  centres: zeros(0, 0),
  domains: new Int32Array(),
  cells: 2,
  count: 2,
  silhouette: 0.4,
  stability: 0.9,
  ...change,
});

test('of the stable cuts the clearest is chosen, of those as clear the most stable', () => {
  const clear = candidate({ cells: 4, silhouette: 0.5 });
  const unstable = candidate({ cells: 6, silhouette: 0.7, stability: 0.5 });
  const stabler = candidate({ cells: 8, silhouette: 0.495, stability: 0.99 });
  assert.equal(choose([candidate({}), clear, unstable]), clear);
  assert.equal(choose([candidate({}), clear, unstable, stabler]), stabler);
  assert.equal(choose([unstable, candidate({ cells: 3, stability: 0.6 })])?.cells, 3);
  assert.equal(choose([candidate({ count: 1 })]), undefined);
});

test('of the cuts that are as clear the number of domains counts that most of them come to', () => {
  // Two of three documentation sets as one were clearer and stabler by a hair than all three apart.
  const coarse = candidate({ cells: 2, count: 2, silhouette: 0.4005, stability: 0.9946 });
  const fine = [3, 4, 5].map((cells) =>
    candidate({ cells, count: 3, silhouette: 0.3977, stability: 0.99 - cells / 1000 }),
  );
  assert.equal(choose([coarse, ...fine]), fine[0]);
  assert.equal(choose([{ ...coarse, silhouette: 0.42 }, ...fine])?.count, 2, 'where it is clearer, fewer');
});

test('each rule refuses by itself', () => {
  const well = { domains: 4, stability: 0.9, routing: { recall: [0.96, 0.99, 1, 1], asked: [0.25, 0.5, 0.75, 1] } };
  const names = (measured: Parameters<typeof judge>[0]): string[] =>
    judge(measured)
      .filter(({ held }) => !held)
      .map(({ rule }) => rule);
  assert.deepEqual(names(well), []);
  assert.deepEqual(names({ ...well, stability: 0.7 }), ['stable']);
  assert.deepEqual(names({ ...well, routing: { ...well.routing, recall: [0.5, 0.9, 0.97, 1] } }), [
    'routable',
    'worth-routing',
  ]);
  assert.deepEqual(names({ ...well, routing: { ...well.routing, asked: [0.9, 1, 1, 1] } }), ['not-one-alone']);
  assert.deepEqual(names({ domains: 1, stability: 0, routing: undefined }), [
    'apart',
    'stable',
    'routable',
    'worth-routing',
    'not-one-alone',
  ]);
});

test('few points are cut into few cells', () => {
  assert.deepEqual(cellCounts(100, 32), [2, 3, 4, 5, 6]);
  assert.deepEqual(cellCounts(4000, 32), [2, 3, 4, 5, 6, 8, 11, 15, 20, 26]);
  assert.deepEqual(cellCounts(10, 32), [2]);
});
