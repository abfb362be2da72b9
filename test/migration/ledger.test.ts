import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Contents } from '../../src/migration/contents.ts';
import type { LedgerOptions } from '../../src/migration/ledger.ts';
import { IDENTITY } from '../../src/migration/projection.ts';
import type { Side } from '../../src/migration/side.ts';
import { totals } from '../../src/migration/verify.ts';
import type { Point } from '../../src/qdrant/types.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import { digestOf, formatDigest } from '../../src/vectors/index.ts';
import { connect, FakeWorld } from './world.ts';

const options: LedgerOptions = {
  lanes: 2,
  pageSize: 4,
  projection: IDENTITY,
  rememberPoints: 1000,
  signal: new AbortController().signal,
  write: (action) => action(),
};

const uuid = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;
const idOf = (n: number): Point['id'] => (n % 2 === 0 ? n * n : uuid(n << 24));
const point = (n: number, text: string): Point => ({ id: idOf(n), vector: [n, 1], payload: { text } });

/** Both sides with forty points, and what a worker that has compared them once asks of them from then on. */
async function compared(count = 40, verify?: 'Full') {
  const world = new FakeWorld();
  for (let n = 1; n <= count; n += 1) world.source.put(point(n, 'first'));
  const calls: string[] = [];
  const { source, target } = connect(world, (call, moment) => {
    if (moment === 'before') calls.push(call);
  });
  const contents = new Contents({ source, target }, silentLogger, verify);
  assert.equal((await contents.converge(options)).differences, count);
  await contents.converge(options);
  calls.length = 0;
  return { world, contents, calls };
}

const same = ({ source, target }: FakeWorld): void => {
  assert.equal(formatDigest(digestOf(target.sorted())), formatDigest(digestOf(source.sorted())));
};

test('what has not changed is not read again', async () => {
  const { world, contents, calls } = await compared();
  world.source.put(point(3, 'second'));
  const { ranges, points } = await contents.prove(options);
  assert.ok(!calls.includes('source.page') && !calls.includes('target.page'));
  assert.equal(calls.filter((call) => call === 'target.upsert').length, 1);
  same(world);
  const { source, target } = totals(ranges);
  assert.equal(formatDigest(source), formatDigest(digestOf(world.source.sorted())));
  assert.equal(formatDigest(target), formatDigest(source));
  assert.ok(points.isComplete);
});

test('where nothing was written nothing is listed again, but for writes of our own that change nothing', async () => {
  const { world, contents, calls } = await compared();
  await contents.prove(options);
  assert.ok(!calls.some((call) => call.endsWith('.inventory')));
  world.source.drop(idOf(500));
  await contents.prove({ ...options, idleWrites: 1 });
  assert.ok(!calls.some((call) => call.endsWith('.inventory')));
  world.source.drop(idOf(3));
  await contents.prove({ ...options, idleWrites: 1 });
  assert.ok(calls.includes('source.inventory'));
  same(world);
});

test('where all is to be read it is, in every pass and under the fence: so a pass foretells how long the proof takes', async () => {
  const { contents, calls } = await compared(40, 'Full');
  const pages = (): number => calls.filter((call) => call === 'source.page').length;
  await contents.converge(options);
  const inPass = pages();
  assert.ok(inPass >= 40 / options.pageSize);
  await contents.converge(options);
  assert.equal(pages(), 2 * inPass);
  const { ranges } = await contents.prove(options);
  assert.equal(pages(), 3 * inPass);
  assert.equal(totals(ranges).source.count, 40);
  assert.ok(!calls.some((call) => call.endsWith('.inventory')), 'nothing is listed that nobody will compare');
});

type Change = { readonly side: 'source' | 'target'; readonly n: number; readonly text: string | undefined };
const change: fc.Arbitrary<Change> = fc.record({
  side: fc.constantFrom('source' as const, 'source' as const, 'target' as const),
  n: fc.integer({ min: 1, max: 60 }),
  text: fc.option(fc.string(), { nil: undefined }),
});

const apply = (world: FakeWorld, { side, n, text }: Change): void =>
  text === undefined ? world[side].drop(idOf(n)) : world[side].put(point(n, text));

test('property: whatever changes on either side between passes, the proof is of what is there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(change, { maxLength: 8 }), { maxLength: 4 }), async (passes) => {
      const { world, contents } = await compared();
      for (const changes of passes) {
        for (const one of changes) apply(world, one);
        await contents.converge(options);
      }
      for (const one of passes[0] ?? []) apply(world, one);
      const { source, target } = totals((await contents.prove(options)).ranges);
      same(world);
      assert.equal(formatDigest(source), formatDigest(digestOf(world.source.sorted())));
      assert.equal(formatDigest(target), formatDigest(source));
    }),
    { numRuns: 100 },
  );
});

test('property: changes in the midst of a pass are found by the next', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat({ max: 25 }), change), { maxLength: 12 }), async (changes) => {
      const world = new FakeWorld();
      for (let n = 1; n <= 40; n += 1) world.source.put(point(n, 'first'));
      let at = 0;
      const { source, target } = connect(world, (_call, moment) => {
        for (const [when, one] of changes)
          if (when === at && moment === 'after') apply(world, { ...one, side: 'source' });
        at += 1;
      });
      const contents = new Contents({ source, target }, silentLogger);
      await contents.converge(options);
      at = 0;
      await contents.converge(options);
      at = Number.NEGATIVE_INFINITY;
      const { ranges } = await contents.prove(options);
      same(world);
      assert.equal(formatDigest(totals(ranges).source), formatDigest(digestOf(world.source.sorted())));
    }),
    { numRuns: 100 },
  );
});

test('when versions can not be compared any more, everything is read again', async () => {
  for (const side of ['source', 'target'] as const) {
    for (const lineage of ['started again', undefined]) {
      const { world, contents, calls } = await compared();
      // Another content under the same version: what a log that was cut off and written anew can come to.
      world[side].points.set(4n, { ...point(2, 'unseen') });
      world[side].lineage = lineage;
      await contents.prove(options);
      assert.ok(calls.includes('source.page') && calls.includes('target.page'));
      same(world);
    }
  }
});

test('a point of which nobody tells the version is read each time', async () => {
  const { world, contents, calls } = await compared();
  world.source.put(point(2, 'unseen'));
  world.source.versions.delete(4n);
  await contents.prove(options);
  assert.ok(calls.includes('source.retrieve') && !calls.includes('source.page'));
  same(world);
});

test('more points than are remembered are read in full', async () => {
  const { world, contents, calls } = await compared();
  world.source.put(point(3, 'second'));
  await contents.prove({ ...options, rememberPoints: 10 });
  assert.ok(calls.includes('source.page'));
});

/** Shards of the source, as they are, on the target; with `damaged` points that differ though their version is the same. */
async function carried(damaged: readonly number[] = []) {
  const world = new FakeWorld();
  for (let n = 1; n <= 40; n += 1) world.source.put(point(n, 'first'));
  const calls: string[] = [];
  const { source, target } = connect(world, (call, moment) => {
    if (moment === 'before') calls.push(call);
  });
  const contents = new Contents({ source, target }, silentLogger);
  await contents.beforeShards();
  for (const [position, stored] of world.source.points) world.target.points.set(position, stored);
  for (const [position, version] of world.source.versions) world.target.versions.set(position, version);
  for (const n of damaged) world.target.points.set(BigInt(n * n), point(n, 'damaged'));
  world.source.put(point(2, 'second'));
  world.source.drop(idOf(3));
  await contents.afterShards(options);
  await contents.converge(options);
  calls.length = 0;
  return { world, contents, calls };
}

test('of shards that were carried over only what has changed since is read', async () => {
  const { world, contents, calls } = await carried();
  world.source.put(point(4, 'third'));
  const { source, target } = totals((await contents.prove(options)).ranges);
  assert.ok(contents.isByVersion && !calls.includes('source.page'));
  assert.equal(formatDigest(source), formatDigest(target));
  assert.equal(source.count, 39);
  same(world);
});

test('where points of one version differ, a proof by versions is none: everything is read', async () => {
  const { world, contents, calls } = await carried([6, 8]);
  const { source } = totals((await contents.prove(options)).ranges);
  assert.ok(!contents.isByVersion && calls.includes('source.page'));
  assert.equal(formatDigest(source), formatDigest(digestOf(world.source.sorted())));
  same(world);
});

test('shards of a source that was started again meanwhile are compared in full', async () => {
  const world = new FakeWorld();
  for (let n = 1; n <= 10; n += 1) world.source.put(point(n, 'first'));
  const { source, target } = connect(world);
  const contents = new Contents({ source, target }, silentLogger);
  await contents.beforeShards();
  world.source.lineage = 'started again';
  await contents.afterShards(options);
  assert.equal((await contents.converge(options)).differences, 10);
  same(world);
});

test('no more points are listed at a time than the settings allow', async () => {
  const world = new FakeWorld();
  for (let n = 1; n <= 20; n += 1) world.source.put(point(n, 'first'));
  const { source, target } = connect(world);
  const asked: number[] = [];
  const counting = (side: Side): Side => ({
    ...side,
    inventory: async (offset, limit) => {
      asked.push(limit);
      return side.inventory?.(offset, limit);
    },
  });
  const contents = new Contents({ source: counting(source), target: counting(target) }, silentLogger);
  assert.equal((await contents.converge({ ...options, listSize: 3 })).differences, 20);
  assert.ok(asked.length > 6);
  assert.deepEqual([...new Set(asked)], [3]);
});
