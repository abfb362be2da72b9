import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { evaluateGates } from '../../../src/vectorize/quality/gates.ts';
import { parseGoldenQueries } from '../../../src/vectorize/quality/golden.ts';
import { type Report, reportTexts } from '../../../src/vectorize/quality/report.ts';
import { Sample } from '../../../src/vectorize/quality/sample.ts';

const counts = { documents: 10, chunks: 40, embedded: 4, reused: 36, deleted: 0, failed: 1, tokens: 99 };
const calm: Report = {
  version: 1,
  job: { uid: 'u', namespace: 'docs', name: 'handbook' },
  run: 'r',
  mode: 'Verify',
  library: 'handbook',
  checkedAt: '2026-01-01T00:00:00.000Z',
  counts,
  gates: [],
  duplicates: 0,
  defects: {},
  mended: false,
  findings: [],
  notFound: [],
  golden: [],
  failures: [],
};

test('a gate that is not asked says nothing; at its limit one still holds', () => {
  const figures = { documents: 100, failed: 1, chunks: 50, duplicates: 5 };
  assert.deepEqual(evaluateGates({ goldenQueries: false }, figures), []);
  const at = evaluateGates({ goldenQueries: false, minSuccessPercent: 99, maxDuplicatePercent: 10 }, figures);
  assert.deepEqual(
    at.map(({ name, passed }) => `${name} ${passed}`),
    ['success true', 'duplicates true'],
  );
  const over = evaluateGates({ goldenQueries: false, minSuccessPercent: 100, maxDuplicatePercent: 9 }, figures);
  assert.deepEqual(
    over.map(({ message }) => message),
    ['99 of 100 documents; at least 100 % must be', '5 of 50 chunks repeat another; at most 9 % may'],
  );
});

test('a source without documents fails no gate', () => {
  const nothing = { documents: 0, failed: 0, chunks: 0, duplicates: 0, selfRecall: { sampled: 0, found: 0 } };
  const gates = { goldenQueries: false, minSuccessPercent: 100, maxDuplicatePercent: 0, minSelfRecallPercent: 100 };
  assert.ok(evaluateGates(gates, nothing).every(({ passed }) => passed));
});

test('a report is a page that people read, with no part that has nothing to say', () => {
  const { markdown } = reportTexts(calm);
  assert.match(markdown, /^# Quality of docs\/handbook\n/);
  assert.doesNotMatch(markdown, /## /);
  const failures = [{ path: 'a|b.md', reason: 'Binary' as const, message: 'holds\nnull bytes' }];
  const told = reportTexts({ ...calm, failures, defects: { missing: 2 }, mended: true }).markdown;
  assert.match(told, /\| a\\\|b\.md \| Binary \| holds null bytes \|/);
  assert.match(told, /## Defects \(mended\)\n\n\| defect \| points \|\n\| --- \| --- \|\n\| missing \| 2 \|/);
});

test('whatever documents are named, both texts stay within their bound, and the JSON is JSON', () => {
  const finding = fc.record({
    defect: fc.constant('missing' as const),
    document: fc.string({ maxLength: 4000 }),
    id: fc.string({ maxLength: 36 }),
  });
  fc.assert(
    fc.property(fc.array(finding, { minLength: 0, maxLength: 300, size: 'max' }), (findings) => {
      const { json, markdown } = reportTexts({ ...calm, findings });
      assert.ok(json.length <= 200_000 && markdown.length <= 200_000);
      assert.equal((JSON.parse(json) as Report).version, 1);
    }),
    { numRuns: 10 },
  );
});

test('golden queries are lists, in YAML or JSON; what is none is named', () => {
  const one = [{ query: 'how?', document: 'a.md', within: 3 }];
  assert.deepEqual(parseGoldenQueries('a.json', JSON.stringify(one)), one);
  assert.deepEqual(parseGoldenQueries('a.yaml', '- {query: how?, document: a.md, within: 3}'), one);
  assert.throws(() => parseGoldenQueries('a.yaml', '- query: [x'), /^Error: golden queries a.yaml: /);
  assert.throws(() => parseGoldenQueries('a.yaml', '[]'), /golden queries a.yaml:/);
  assert.throws(() => parseGoldenQueries('a.yaml', '- {query: how?, document: a.md, within: 0}'), /\/0\/within/);
});

test('each of a stream is sampled with the same chance', () => {
  const hits = new Array<number>(10).fill(0);
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  for (let round = 0; round < 4000; round += 1) {
    const sample = new Sample<number>(3, random);
    for (let n = 0; n < 10; n += 1) sample.add(n);
    assert.equal(sample.items.length, 3);
    for (const n of sample.items) hits[n] = (hits[n] ?? 0) + 1;
  }
  for (const count of hits) assert.ok(Math.abs(count - 1200) < 130, `${hits.join(' ')}`);
});
