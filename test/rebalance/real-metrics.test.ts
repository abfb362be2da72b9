import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { peerCounters } from '../../src/rebalance/observe/counters.ts';
import { quantile } from '../../src/rebalance/observe/histogram.ts';
import { interval } from '../../src/rebalance/observe/rates.ts';

/** Recorded from Qdrant 1.18.3: one upsert and five queries, then three searches more. */
const recorded = (part: 1 | 2) =>
  peerCounters(readFileSync(join(import.meta.dirname, 'fixtures', `metrics-1.18.3-${part}.txt`), 'utf8'));

test('what a real server counted is read as it was asked for', () => {
  const docs = recorded(1).collections?.get('docs');
  assert.deepEqual([docs?.reads, docs?.writes, docs?.failures], [5, 1, 0]);
  assert.ok((docs?.busySeconds ?? 0) > 0 && (docs?.busySeconds ?? 1) < 0.1);
  const between = interval({ at: 0, ...recorded(1) }, { at: 10_000, ...recorded(2) });
  assert.ok(between.kind === 'rates');
  assert.equal(between.total.reads, 0.3);
  assert.equal(between.total.writes, 0);
  const p95 = quantile(between.total.searches, 0.95) ?? 0;
  assert.ok(p95 > 0.001 && p95 <= 0.005, String(p95));
});
