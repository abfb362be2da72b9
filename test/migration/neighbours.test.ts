import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { neighboursAgree, sameNeighbours } from '../../src/migration/neighbours.ts';
import { IDENTITY } from '../../src/migration/projection.ts';
import { rangeOf } from '../../src/migration/ranges.ts';
import type { NearestQuery, Side } from '../../src/migration/side.ts';
import type { Point } from '../../src/qdrant/types.ts';
import { connect, FakeWorld } from './world.ts';

const neighbours = fc
  .uniqueArray(fc.record({ id: fc.integer({ min: 1, max: 50 }), score: fc.integer({ min: 0, max: 1000 }) }), {
    selector: ({ id }) => id,
    maxLength: 10,
  })
  .map((list) => list.toSorted((a, b) => b.score - a.score));

test('property: an answer agrees with itself in any order of ties, and with no other', () => {
  fc.assert(
    fc.property(neighbours, (list) => {
      assert.ok(sameNeighbours(list, list));
      const close = list.map(({ id, score }) => ({ id, score: score * (1 + 1e-6) }));
      assert.ok(sameNeighbours(list, close));
      const [first, ...rest] = list;
      if (first === undefined) return;
      assert.equal(sameNeighbours(list, rest), false);
      assert.equal(sameNeighbours(list, [{ ...first, score: first.score + 5 }, ...rest]), false);
    }),
  );
});

test('those that tie for the last place may differ, better ones may not', () => {
  const list = [
    { id: 1, score: 9 },
    { id: 2, score: 5 },
  ];
  assert.ok(
    sameNeighbours(list, [
      { id: 1, score: 9 },
      { id: 3, score: 5 },
    ]),
  );
  assert.equal(
    sameNeighbours(list, [
      { id: 4, score: 9 },
      { id: 2, score: 5 },
    ]),
    false,
  );
});

/** Both sides of a small world; each answers a search by the dot product over what it finds. */
function searching(found: (point: Point) => boolean = () => true): { source: Side; target: Side; ranges: number[] } {
  const world = new FakeWorld();
  for (let id = 1; id <= 40; id += 1) {
    const point: Point = { id, vector: [id, 40 - id, 1], payload: {} };
    world.source.put(point);
    world.target.put(point);
  }
  const nearest =
    (seen: (point: Point) => boolean) =>
    ({ vector, limit }: NearestQuery) =>
      Promise.resolve(
        world.source
          .sorted()
          .filter(seen)
          .map(({ id, vector: has }) => ({
            id,
            score: (has as number[]).reduce((sum, value, at) => sum + value * (vector[at] ?? 0), 0),
          }))
          .toSorted((a, b) => b.score - a.score)
          .slice(0, limit),
      );
  const { source, target } = connect(world);
  const ranges = [...new Set(world.source.sorted().map(({ id }) => rangeOf(BigInt(id))))];
  return {
    source: { ...source, nearest: nearest(() => true) },
    target: { ...target, nearest: nearest(found) },
    ranges,
  };
}

test('what is stored and not found on the target speaks against a switch', async () => {
  const good = searching();
  const agreed = await neighboursAgree(good.source, good.target, { ranges: good.ranges, projection: IDENTITY });
  assert.deepEqual(agreed, { compared: 6, against: undefined });
  const bad = searching(({ id }) => id !== 40);
  const { against } = await neighboursAgree(bad.source, bad.target, { ranges: bad.ranges, projection: IDENTITY });
  assert.match(against ?? '', /the neighbours of point \d+ by the unnamed vector differ/);
});

test('vectors that change on their way, and limits that refuse a search, are left out', async () => {
  const { source, target, ranges } = searching(() => false);
  const projection = { vectors: { '': { normalize: true } }, keepShardKeys: true };
  assert.equal((await neighboursAgree(source, target, { ranges, projection })).compared, 0);
  const refusing = { ...target, nearest: () => Promise.resolve(undefined) };
  assert.deepEqual(await neighboursAgree(source, refusing, { ranges, projection: IDENTITY }), {
    compared: 0,
    against: undefined,
  });
});
