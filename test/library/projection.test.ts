import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carrying, type Layout } from '../../src/library/decide/projection.ts';

const layout = (change: Partial<Layout> = {}): Layout => ({
  vectors: { '': { size: 4, distance: 'Dot' } },
  sparse: {},
  customSharding: false,
  ...change,
});
const vector = (change: object): Partial<Layout> => ({ vectors: { '': { size: 4, distance: 'Dot', ...change } } });

test('equal layouts carry everything as it is', () => {
  assert.deepEqual(carrying(layout(), layout()), {
    projection: { vectors: {}, keepShardKeys: false },
    uncopyable: [],
    unplaceable: undefined,
  });
});

const rules: [string, Partial<Layout>, Partial<Layout>, object][] = [
  ['to Cosine: normalised', {}, vector({ distance: 'Cosine' }), { normalize: true }],
  ['to half precision: rounded', {}, vector({ datatype: 'float16' }), { float16: true }],
  [
    'from bytes to half precision: rounded',
    vector({ datatype: 'uint8' }),
    vector({ datatype: 'float16' }),
    { float16: true },
  ],
];
for (const [what, from, to, rule] of rules) {
  test(`carried ${what}`, () => {
    assert.deepEqual(carrying(layout(from), layout(to)).projection.vectors, { '': rule });
  });
}

const obstacles: [string, Partial<Layout>, Partial<Layout>, RegExp][] = [
  ['another size', {}, vector({ size: 5 }), /has 4 dimensions, not 5/],
  ['bytes', {}, vector({ datatype: 'uint8' }), /whole numbers/],
  ['rows', {}, vector({ multivector_config: { comparator: 'max_sim' } }), /one row only/],
  ['no rows', vector({ multivector_config: {} }), {}, /several rows/],
  ['no such vector', {}, { vectors: {} }, /is removed/],
  ['no such sparse vector', { sparse: { s: {} } }, {}, /s is removed/],
  [
    'other weights',
    { sparse: { s: {} } },
    { sparse: { s: { index: { datatype: 'uint8' } } } },
    /weights of type uint8/,
  ],
];
for (const [what, from, to, reason] of obstacles) {
  test(`a copy can't carry a vector to ${what}`, () => {
    const { uncopyable, projection } = carrying(layout(from), layout(to));
    assert.match(uncopyable.join(), reason);
    assert.ok(Object.values(projection.vectors).every(({ drop }) => drop === true));
  });
}

test('points without shard key have no place among keyed shards; the other way round the key is left', () => {
  assert.match(carrying(layout(), layout({ customSharding: true })).unplaceable ?? '', /which shard/);
  assert.equal(carrying(layout({ customSharding: true }), layout()).projection.keepShardKeys, false);
});
