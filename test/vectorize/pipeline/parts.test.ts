import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { QdrantError } from '../../../src/qdrant/index.ts';
import { compare, presentAt } from '../../../src/vectorize/pipeline/compare.ts';
import { withinGuard } from '../../../src/vectorize/pipeline/deletion.ts';
import { RunEnd } from '../../../src/vectorize/pipeline/failure.ts';
import { Fingerprints } from '../../../src/vectorize/pipeline/fingerprints.ts';
import { bounded, parseModelRecord, recordFor } from '../../../src/vectorize/pipeline/model.ts';
import { Pace } from '../../../src/vectorize/pipeline/pace.ts';
import type { Expected, Known } from '../../../src/vectorize/pipeline/points.ts';
import { Replay, type Taken } from '../../../src/vectorize/pipeline/replay.ts';
import { grouped, mapAhead } from '../../../src/vectorize/pipeline/streams.ts';
import { Tracker } from '../../../src/vectorize/pipeline/tracker.ts';
import { Writer } from '../../../src/vectorize/pipeline/writer.ts';

async function* from<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* items;
}

const marks = fc.record({
  id: fc.nat({ max: 9 }),
  hash: fc.constantFrom('h0', 'h1', 'h2'),
  revision: fc.constantFrom('r0', 'r1'),
  chunks: fc.constantFrom(1, 2),
});
type Drawn = { id: number; hash: string; revision: string; chunks: number };
const byId = fc.uniqueArray(marks, { selector: ({ id }) => id, maxLength: 8 });
const known = (points: readonly Drawn[]): Known[] =>
  points.map(({ id, ...mark }) => ({ id, document: 'd', mark: { job: 'j', ...mark } }));
const expected = (points: readonly Drawn[]): Expected[] =>
  known(points).map((point) => ({ ...point, text: '', tokens: 1, payload: {} }));

test('of what is there and what must be, each point has one fate: left, written, or stale', () => {
  fc.assert(
    fc.property(byId, byId, (wanted, there) => {
      const { needs, stale } = compare(expected(wanted), known(there));
      assert.deepEqual(
        needs.map(({ point }) => point.id),
        wanted.map(({ id }) => id),
      );
      assert.deepEqual(
        new Set(stale),
        new Set(there.map(({ id }) => id)).difference(new Set(wanted.map(({ id }) => id))),
      );
      for (const { point, what } of needs) {
        const found = there.find(({ id }) => id === point.id);
        assert.equal(what === 'all', found?.hash !== point.mark.hash);
        const same = found?.revision === point.mark.revision && found.chunks === point.mark.chunks;
        if (what !== 'all') assert.equal(what === 'nothing', same);
      }
    }),
  );
});

test('a document is whole when it has as many points of the revision as it had chunks', () => {
  fc.assert(
    fc.property(byId, (there) => {
      const { whole, points, stale } = presentAt('r0', 'j', known(there));
      assert.equal(points.length + stale.length, there.length);
      if (whole) assert.ok(points.every(({ mark }) => mark.chunks === points.length && mark.revision === 'r0'));
    }),
  );
  assert.equal(presentAt('r0', 'j', []).whole, false);
  assert.equal(presentAt('r0', 'other', known([{ id: 1, hash: 'h', revision: 'r0', chunks: 1 }])).whole, false);
});

test('the guard is about the share of what would be deleted', () => {
  assert.deepEqual([withinGuard(0, 0, 0), withinGuard(1, 10, 10), withinGuard(2, 10, 10)], [true, true, false]);
});

test('a set of fingerprints is a set', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (texts, other) => {
      const prints = new Fingerprints();
      const seen = new Set<string>();
      for (const text of texts) {
        assert.equal(prints.add(text), !seen.has(text));
        seen.add(text);
      }
      assert.equal(prints.size, seen.size);
      assert.equal(prints.has(other), seen.has(other));
    }),
  );
  const many = new Fingerprints();
  for (let n = 0; n < 20_000; n += 1) many.add(`text ${n}`);
  assert.equal(many.size, 20_000);
  assert.ok(many.has('text 19999') && !many.has('text 20000'));
});

test('whatever consumers fail at, each item is delivered, in order within an attempt', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 20 }), fc.array(fc.nat({ max: 6 }), { maxLength: 5 }), async (count, failures) => {
      const replay = new Replay(from(Array.from({ length: count }, (_, n) => n)));
      const delivered: number[] = [];
      for (const most of [...failures, Number.POSITIVE_INFINITY]) {
        const held: Taken<number>[] = [];
        for await (const taken of replay.begin()) {
          held.push(taken);
          if (held.length > most) break;
        }
        // All but the last one, as with a batch that fails.
        for (const taken of most === Number.POSITIVE_INFINITY ? held : held.slice(0, -1)) {
          delivered.push(taken.item);
          replay.done(taken);
        }
      }
      assert.deepEqual(
        delivered.toSorted((a, b) => a - b),
        Array.from({ length: count }, (_, n) => n),
      );
      assert.equal(await replay.any(), false);
    }),
  );
});

test('work ahead keeps the order, and goes no further ahead than told', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 3 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      async (waits, ahead) => {
        let running = 0;
        let most = 0;
        const work = async (wait: number): Promise<number> => {
          running += 1;
          most = Math.max(most, running);
          await sleep(wait);
          running -= 1;
          return wait;
        };
        assert.deepEqual(await Array.fromAsync(mapAhead(from(waits), ahead, work)), waits);
        assert.ok(most <= ahead + 1);
      },
    ),
    { numRuns: 20 },
  );
  assert.deepEqual(await Array.fromAsync(grouped(from([1, 2, 3]), 2)), [[1, 2], [3]]);
});

const refusing = (bad: ReadonlySet<number>) => {
  const stored: number[] = [];
  const upsert = async (points: readonly { readonly id: unknown }[]): Promise<void> => {
    await sleep(1);
    const ids = points.map(({ id }) => Number(id));
    if (ids.some((id) => bad.has(id))) {
      throw new QdrantError({ code: 'BadRequest', message: 'no', operation: 'upsert', peer: 'a', status: 400 });
    }
    stored.push(...ids);
  };
  return { stored, upsert };
};
const point = (id: number) => ({ id, vector: [1], payload: {} });

test('a point that is refused keeps none of the others from being written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 40, max: 99 }), { maxLength: 3 }), async (bad) => {
      const target = refusing(new Set(bad));
      const writer = new Writer({ target, batch: 16, queue: 20, concurrency: 2 });
      const refused: number[] = [];
      for (let id = 0; id < 100; id += 1) {
        await writer.add({ point: point(id), settled: (refusal) => void (refusal !== undefined && refused.push(id)) });
      }
      await writer.flush();
      assert.deepEqual(
        refused.toSorted((a, b) => a - b),
        bad.toSorted((a, b) => a - b),
      );
      assert.equal(target.stored.length, 100 - bad.length);
    }),
    { numRuns: 15 },
  );
});

test('a target that takes fewer points at a time gets no more, and none is refused', async () => {
  const sizes: number[] = [];
  const upsert = async (points: readonly unknown[]): Promise<void> => {
    sizes.push(points.length);
    if (points.length <= 5) return;
    const message = 'Upsert batch size 16 exceeds the limit of 5';
    throw new QdrantError({ code: 'BadRequest', message, operation: 'upsert', peer: 'a', status: 400 });
  };
  const writer = new Writer({ target: { upsert }, batch: 16, queue: 20, concurrency: 1 });
  let settled = 0;
  const count = (refusal?: string): void => {
    assert.equal(refusal, undefined);
    settled += 1;
  };
  for (let id = 0; id < 200; id += 1) await writer.add({ point: point(id), settled: count });
  await writer.flush();
  assert.equal(settled, 200);
  assert.ok(sizes.filter((size) => size > 5).length <= 4, sizes.join());
});

test('a limit of strict mode is about no point: nothing is halved, and what comes after is not asked for', async () => {
  const asked: number[] = [];
  const upsert = async (points: readonly unknown[]): Promise<void> => {
    asked.push(points.length);
    if (asked.length < 3) return;
    const message = 'Wrong input: Max points count limit of 1000 reached!';
    throw new QdrantError({ code: 'BadRequest', message, operation: 'upsert', peer: 'a', status: 400 });
  };
  const writer = new Writer({ target: { upsert }, batch: 16, queue: 20, concurrency: 1 });
  const full = (error: unknown): boolean =>
    error instanceof RunEnd && error.reason === 'TargetFull' && error.message.includes('limit of 1000');
  const filling = async (): Promise<void> => {
    for (let id = 0; id < 200; id += 1) await writer.add({ point: point(id), settled: () => {} });
    await writer.flush();
  };
  await assert.rejects(filling(), full);
  assert.equal(asked.length, 3);
});

test('a target that refuses every point is none to write to', async () => {
  const writer = new Writer({ target: refusing(new Set([0, 1, 2, 3, 4, 5])) });
  for (let id = 0; id < 6; id += 1) await writer.add({ point: point(id), settled: () => {} });
  await assert.rejects(writer.flush(), (error) => error instanceof RunEnd && error.reason === 'TargetUnsuitable');
});

test('the cursor stands at the last document before which nothing is open', () => {
  const tracker = new Tracker({ embedded: 0, tokens: 5, deleted: 0 });
  const [a, b, c] = ['a', 'b', 'c'].map((path) => tracker.begin(path));
  assert.ok(a && b && c);
  tracker.plan(a, { chunks: 2, present: 1 });
  tracker.plan(b, { chunks: 1, present: 1 });
  tracker.unreadable(c, { reason: 'Binary', message: 'no text' });
  assert.equal(tracker.cursor, undefined);
  tracker.stored(a, true);
  assert.equal(tracker.cursor, 'c');
  const counts = { documents: 3, chunks: 3, embedded: 1, reused: 2, deleted: 0, failed: 1, tokens: 12 };
  assert.deepEqual(tracker.counts(7), counts);
});

test('the pace is that of the last minute, and an end is expected by it', () => {
  const pace = new Pace();
  for (let second = 0; second <= 120; second += 1) {
    const rate = second < 60 ? 1 : 2;
    pace.note({ at: second * 1000, documents: second * rate, chunks: second * rate * 10 });
  }
  const now = { at: 120_000, documents: 240, chunks: 2400 };
  const told = pace.tell(now, 480);
  assert.equal(told.percent, 50);
  assert.ok(told.chunksPerMinute >= 1200 && told.left !== undefined && told.left <= 120_000);
  assert.deepEqual(pace.tell(now, undefined), { percent: 0, chunksPerMinute: told.chunksPerMinute });
});

test('Full begins an epoch that its pods share, and that the runs after it go on with', () => {
  const scope = { protocol: 'OpenAI', model: 'm' } as const;
  const canary = { dimensions: 1, vectors: ['AAAA'] };
  const first = { ...recordFor(scope, undefined, { mode: 'Incremental', run: '1' }), canary };
  assert.equal(first.epoch, '');
  const full = recordFor(scope, first, { mode: 'Full', run: '2' });
  assert.deepEqual([full.epoch, full.canary], ['2', undefined]);
  const resumed = recordFor(scope, { ...full, canary }, { mode: 'Full', run: '2' });
  assert.deepEqual([resumed.epoch, resumed.canary], ['2', canary]);
  const later = recordFor(scope, resumed, { mode: 'Incremental', run: '3' });
  assert.deepEqual([later.epoch, later.canary], ['2', canary]);
  assert.equal(recordFor({ ...scope, model: 'n' }, later, { mode: 'Incremental', run: '4' }).canary, undefined);
  assert.deepEqual(parseModelRecord(JSON.stringify(later)), later);
  assert.equal(parseModelRecord('{}'), undefined);
});

test('a canary is kept as far as a ConfigMap has room, and at least one vector of it', () => {
  const canary = (numbers: number) => ({
    dimensions: numbers,
    vectors: Array.from({ length: 32 }, () => 'x'.repeat((numbers * 16) / 3)),
  });
  assert.equal(bounded(canary(384)).vectors.length, 32);
  assert.ok(JSON.stringify(bounded(canary(3072))).length < 400_000);
  assert.equal(bounded(canary(65_536)).vectors.length, 1);
});
