import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OrderedReader } from '../../src/migration/ordered-reader.ts';
import type { Side } from '../../src/migration/side.ts';
import type { Point } from '../../src/qdrant/types.ts';

/** A collection of the points 0, 2, 4, ... that counts how many points were read. */
function even(count: number): { side: Pick<Side, 'page'>; read: () => number } {
  const points: Point[] = Array.from({ length: count }, (_, index) => ({ id: index * 2, vector: [], payload: {} }));
  let read = 0;
  const page: Side['page'] = async (offset, limit) => {
    const from = points.findIndex(({ id }) => offset === undefined || Number(id) >= Number(offset));
    const found = from < 0 ? [] : points.slice(from, from + limit);
    read += found.length;
    const next = from < 0 ? undefined : points[from + limit]?.id;
    return { points: found, ...(next === undefined ? { nextOffset: undefined } : { nextOffset: next }) };
  };
  return { side: { page }, read: () => read };
}

test('wherever it is sent, forward or back, the next point is the first one there', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ to: fc.integer({ min: 0, max: 90 }), take: fc.integer({ min: 0, max: 7 }) }), {
        maxLength: 12,
      }),
      async (moves) => {
        const reader = new OrderedReader(even(40).side as Side, 5);
        for (const { to, take } of moves) {
          reader.seek(BigInt(to));
          let expected = to + (to % 2);
          for (let taken = 0; taken <= take; taken += 1) {
            const group = await reader.peek();
            assert.equal(group?.position, expected < 80 ? BigInt(expected) : undefined);
            if (group === undefined) break;
            reader.skip(group);
            expected += 2;
          }
        }
      },
    ),
  );
});

test('going on where it stands reads nothing twice', async () => {
  const { side, read } = even(40);
  const reader = new OrderedReader(side as Side, 10);
  for (let position = 0; position < 80; position += 8) {
    reader.seek(BigInt(position));
    for (
      let group = await reader.peek();
      group !== undefined && group.position < position + 8;
      group = await reader.peek()
    )
      reader.skip(group);
  }
  assert.equal(read(), 40);
});
