import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDomains } from '../../../src/library/discovery/find.ts';
import { type Looked, markdownOf, reportOf } from '../../../src/library/discovery/report.ts';
import { WordCounts } from '../../../src/library/discovery/words.ts';
import { corpus } from './corpus.ts';

const looked: Looked = {
  collection: 'mixed--g1',
  vector: '',
  points: 9000,
  sampled: 900,
  seed: 7,
  words: undefined,
  notes: [],
};
const options = { maxDomains: 8, minShare: 0.02, seed: 7 };

test('a library with domains: each by name, share and words, and why it counts as one', async () => {
  const { points, labels, texts } = corpus({ domains: 3, rows: 900, likeness: 0.05, spread: 0.8, seed: 1 });
  const found = await findDomains(points, options);
  const words = new WordCounts(found.shares.length);
  texts.forEach((text, row) => {
    words.add(text, found.labels[row] ?? 0);
  });
  const report = reportOf(found, { ...looked, words });
  assert.equal(report.outcome, 'Domains');
  assert.equal(labels.length, 900);
  assert.match(report.message, /^3 domains: .*astronomy.* 33\.3 %/);
  assert.deepEqual(
    report.domains.map(({ points: count }) => count),
    [3000, 3000, 3000],
  );
  assert.ok(report.rules.every(({ held }) => held));
  const text = markdownOf(report);
  for (const { name } of report.domains) assert.ok(text.includes(`| ${name} | 33.3 | 3000 |`), text);
  assert.match(text, /\| stable \| yes \|/);
  assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test('a library without: the rule that refuses, with its figures', async () => {
  const { points } = corpus({ domains: 2, weights: [96, 4], rows: 900, likeness: 0.05, spread: 0.8, seed: 1 });
  const report = reportOf(await findDomains(points, options), looked);
  assert.equal(report.outcome, 'NoDomains');
  assert.match(report.message, /^no domains here: not-one-alone \(0\.\d+, goal 0\.8\)$/);
  assert.match(markdownOf(report), /\| not-one-alone \| no \|/);
  assert.deepEqual(report.notes, ['domains without telling words in payload field text bear numbers']);
});

test('one domain: it says what there is too little of', async () => {
  const { points } = corpus({ domains: 1, rows: 300, likeness: 0, spread: 1, seed: 1 });
  const report = reportOf(await findDomains(points, options), looked);
  assert.equal(report.message, 'no domains here: apart (1, goal 2)');
  assert.equal(report.routing, null);
});
