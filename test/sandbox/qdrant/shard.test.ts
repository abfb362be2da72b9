import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { parseJson, stringifyJson } from '../../../sandbox/qdrant/base/json.ts';
import { applyOperation } from '../../../sandbox/qdrant/shard/apply-operation.ts';
import { compileFilter } from '../../../sandbox/qdrant/shard/filter.ts';
import type { ShardOperation } from '../../../sandbox/qdrant/shard/operations.ts';
import {
  compareIds,
  hashId,
  type PointId,
  parsePointId,
  type StoredPoint,
} from '../../../sandbox/qdrant/shard/point.ts';
import { RateLimiter } from '../../../sandbox/qdrant/shard/rate-limiter.ts';
import { Shard } from '../../../sandbox/qdrant/shard/shard.ts';
import { shortFloat, storedVector } from '../../../sandbox/qdrant/shard/vectors.ts';

const root = mkdtempSync(join(tmpdir(), 'engine-shard-'));
after(() => rmSync(root, { recursive: true, force: true }));

const upsert = (ids: readonly PointId[], version: number) => ({
  version,
  operation: {
    kind: 'upsert',
    points: ids.map((id) => ({ id, vectors: { '': Float32Array.of(Number(version), 1) }, payload: { version } })),
  } satisfies ShardOperation,
});
const remove = (ids: readonly PointId[], version: number) => ({
  version,
  operation: { kind: 'delete', target: { ids } } satisfies ShardOperation,
});
const empty = () => ({ points: new Map<PointId, StoredPoint>(), tombstones: new Map<PointId, number>() });

test('a shard opened again holds what was written, without a record cut short', () => {
  const directory = join(root, 'reopened');
  const shard = new Shard(directory);
  shard.update(upsert([3, 1, 2n ** 63n], 1));
  shard.update(remove([3], 2));
  shard.close();
  appendFileSync(join(directory, 'points.log'), Buffer.from([200, 0, 0, 0, 1, 2]));
  const again = new Shard(directory);
  assert.deepEqual([...again.orderedIds()], [1, 2n ** 63n]);
  again.update(upsert([5], 3));
  again.close();
  const last = new Shard(directory);
  assert.deepEqual([...last.orderedIds()], [1, 5, 2n ** 63n]);
  last.close();
});

test('whole-point writes and deletes end in the same points in every order of arrival', () => {
  const change = fc.record({ ids: fc.uniqueArray(fc.nat(4), { minLength: 1 }), put: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (changes, seed) => {
      const versioned = changes.map(({ ids, put }, index) => (put ? upsert(ids, index + 1) : remove(ids, index + 1)));
      const inOrder = empty();
      for (const one of versioned) applyOperation(inOrder, one);
      const shuffled = empty();
      const ranked = versioned.map((one) => ({ one, rank: seed.next().value }));
      for (const { one } of ranked.toSorted((a, b) => a.rank - b.rank)) applyOperation(shuffled, one);
      const content = (store: typeof inOrder) => [...store.points.values()].toSorted((a, b) => compareIds(a.id, b.id));
      assert.deepEqual(content(shuffled), content(inOrder));
    }),
  );
});

test('scroll pages cover every id once, in order', () => {
  const shard = new Shard(join(root, 'paged'));
  const ids = [9, 2, 2n ** 60n, 'ffffffff-0000-0000-0000-000000000000', 4, '00000000-0000-0000-0000-000000000001'];
  shard.update(
    upsert(
      ids.map((id) => (typeof id === 'string' ? parsePointId(id) : id)),
      1,
    ),
  );
  const seen: PointId[] = [];
  for (let offset: PointId | undefined; ; ) {
    const page = shard.scroll({ offset, limit: 2 });
    seen.push(...page.points.map(({ id }) => id));
    if (page.next === undefined) break;
    offset = page.next;
  }
  assert.deepEqual(seen, ids.toSorted(compareIds));
  shard.close();
});

test('point ids: integers to 2^64-1 and UUIDs in any spelling, nothing else', () => {
  assert.equal(parsePointId(2n ** 64n - 1n), 2n ** 64n - 1n);
  assert.equal(parsePointId('936DA01F9ABD4D9D80C702AF85C822A8'), '936da01f-9abd-4d9d-80c7-02af85c822a8');
  for (const bad of [-1, 1.5, 2n ** 64n, 'word', null, true, {}])
    assert.throws(() => parsePointId(bad), /not a valid point ID/);
});

test('integers of any size pass through JSON unchanged', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })),
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })),
      (integers, doubles) => {
        const text = `{"i":[${integers.join(',')}],"d":${JSON.stringify(doubles)}}`;
        const parsed = JSON.stringify(JSON.parse(text));
        const big = stringifyJson(parseJson(text));
        assert.equal(/"i":\[([^\]]*)\]/.exec(big)?.[1], integers.join(','));
        assert.deepEqual((JSON.parse(big) as { d: number[] }).d, (JSON.parse(parsed) as { d: number[] }).d);
      },
    ),
  );
});

test('floats are written short, and read back the same', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const short = shortFloat(value);
      assert.ok(short !== null && Object.is(Math.fround(short), value) && String(short).length <= String(value).length);
    }),
  );
});

test('a normalised vector stays as it is when stored again', () => {
  const component = fc.float({ min: -100, max: 100, noNaN: true });
  const params = { size: 4, distance: 'Cosine' } as const;
  fc.assert(
    fc.property(fc.array(component, { minLength: 4, maxLength: 4 }), (values) => {
      const once = storedVector(values, params);
      assert.deepEqual(storedVector(once, params), once);
    }),
  );
});

test('ids spread evenly over shards', () => {
  const counts = [0, 0, 0];
  for (let id = 0; id < 3000; id += 1) counts[hashId(id) % 3] = (counts[hashId(id) % 3] ?? 0) + 1;
  for (const count of counts) assert.ok(count > 900 && count < 1100, String(counts));
});

test('a limiter starts full, refills with time, and says when to come again', () => {
  const limiter = new RateLimiter(60, 0);
  const take = (cost: number, now: number) => limiter.take(cost, { now, what: 'Write' });
  take(60, 0);
  assert.throws(() => take(1, 500), /Operation requires 1 tokens but only 0.5 were available. Retry after 1s/);
  take(2, 2000);
  assert.throws(() => take(61, 9000), /request larger than rate limiter capacity/);
});

test('a filter names the keys that strict mode wants indexed', () => {
  const nested = { nested: { key: 'list', filter: { must: [{ key: 'x', match: { value: 1 } }] } } };
  const filter = compileFilter({
    must: [{ key: 'a.b', range: { gt: 1 } }, { has_id: [1] }],
    should: [{ is_empty: { key: 'c' } }, nested],
  });
  assert.deepEqual(
    filter?.keys.toSorted((a, b) => a.localeCompare(b)),
    ['a.b', 'c', 'list[].x'],
  );
  assert.throws(() => compileFilter({ must: [{ slice: { total: 2, index: 0 } }] }), /Expected some form of condition/);
});
