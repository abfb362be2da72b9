import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Demand,
  decodeHistory,
  demanded,
  demands,
  emptyDemand,
  emptyHistory,
  encodeHistory,
  remembered,
} from '../../src/rebalance/observe/history.ts';
import type { Observation } from '../../src/rebalance/observe/look.ts';
import type { Rates } from '../../src/rebalance/observe/rates.ts';
import { NOW } from './problems.ts';

const rates = (reads: number): Rates => ({ reads, writes: 0, failures: 0, busy: reads / 100, searches: new Map() });

const observation = (
  collections: Readonly<Record<string, number>>,
  change: Partial<Observation> = {},
): Observation => ({
  at: NOW,
  unknown: undefined,
  rates: {
    total: rates(Object.values(collections).reduce((sum, value) => sum + value, 0)),
    collections: new Map(Object.entries(collections).map(([name, reads]) => [name, rates(reads)])),
  },
  stored: new Map([['docs--g1', { points: 10, bytes: 1000, unsettled: false }]]),
  residentBytes: 5000,
  machines: [],
  version: '1.18.3',
  ...change,
});

const tenants = [
  { library: 'docs', names: ['docs', 'handbook'], collections: ['docs--g1', 'docs--g2'] },
  { library: undefined, names: ['other'], collections: ['other--g1'] },
];

test('requests are those of the library whose name or alias was asked for; copies are nobody’s', () => {
  const told = demands(
    observation({ docs: 5, handbook: 2, 'docs--g2': 100, other: 7, 'other--g1': 50, loose: 3 }),
    tenants,
  );
  assert.equal(told?.libraries.get('docs')?.requests, 7);
  assert.equal(told?.others.requests, 10);
  assert.equal(told?.total.requests, 17);
});

test('an adopted collection bears the public name itself: its requests count', () => {
  const adopted = [{ library: 'docs', names: ['docs'], collections: ['docs'] }];
  assert.equal(demands(observation({ docs: 5 }), adopted)?.libraries.get('docs')?.requests, 5);
});

test('where Qdrant counts for all collections together, the sum is nobody’s and not lost', () => {
  const old = observation({}, { rates: { total: rates(12), collections: new Map() } });
  const told = demands(old, tenants);
  assert.deepEqual([told?.total.requests, told?.others.requests, told?.libraries.size], [12, 12, 0]);
});

test('what is unknown is a gap: nothing is added, least of all zero', () => {
  const history = emptyHistory();
  assert.equal(remembered(history, observation({}, { unknown: 'peer a doesn’t answer' }), undefined), history);
  const first = remembered(history, observation({}, { rates: undefined }), undefined);
  assert.equal(first.measures.requests.fine.values.length, 0);
  assert.deepEqual(first.measures.memory.fine.values, [5000]);
});

/** A demand as it is after a whole day. */
function day(level: number): Demand {
  let demand = emptyDemand();
  for (let step = 0; step < 288; step += 1)
    demand = demanded(demand, NOW + step * 300_000, { requests: level + step, busy: level / 100 });
  return demand;
}

test('what is kept of a cluster and 1000 libraries fits into a ConfigMap, those with most work first', () => {
  let history = emptyHistory();
  for (let step = 0; step < 2400; step += 1) {
    const seen = observation({ docs: 5 + step }, { at: NOW + step * 300_000 });
    history = remembered(history, seen, demands(seen, tenants));
  }
  const demand = day(7);
  const libraries = new Map(Array.from({ length: 1000 }, (_, at) => [`library-${at}`, demand] as [string, Demand]));
  libraries.set('busiest', day(900));
  const text = encodeHistory({ history, libraries });
  assert.ok(Buffer.byteLength(text) < 1_000_000, `${Buffer.byteLength(text)} bytes`);
  const back = decodeHistory(text);
  assert.ok(back?.libraries.has('busiest'));
  const [before, after] = [history.measures.requests.coarse, back?.history.measures.requests.coarse];
  assert.equal(after?.values.length, before.values.length);
  assert.equal(after?.endsAt, before.endsAt);
  for (const [at, value] of before.values.entries())
    assert.ok(Math.abs((after?.values[at] ?? 0) - value) <= value / 500, `${after?.values[at]} for ${value}`);
});

test('a text that is no history begins anew', () => {
  for (const text of ['', '{}', '[]', '{"format":2}', '{"format":1,"measures":{}}', 'null']) {
    assert.equal(decodeHistory(text), undefined, text);
  }
});
