import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ProgressStore } from '../../src/migration/keeper.ts';
import { IDENTITY } from '../../src/migration/projection.ts';
import { NotInStep, type ReverseSettings, runReverse } from '../../src/migration/reverse.ts';
import { parseReverseProgress, type ReverseProgress } from '../../src/migration/reverse-progress.ts';
import type { Point } from '../../src/qdrant/types.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import { connect, FakeWorld, type Hook, Killed } from './world.ts';

const settings: ReverseSettings = {
  lanes: 2,
  pageSize: 4,
  projection: IDENTITY,
  alias: 'docs',
  write: true,
  removalPercent: 10,
  leaseMilliseconds: 5000,
};

class Flaky extends Error {}

const point = (n: number, text: string): Point => ({ id: n * n * 1009, vector: [n, 1, 1], payload: { text } });

/** A library that has moved from g1 to g2, which holds the same. */
function moved(count = 40): FakeWorld {
  const world = new FakeWorld();
  world.alias = 'docs--g2';
  world.source.fence = 'nonce';
  for (let n = 1; n <= count; n += 1) {
    world.source.put(point(n, `point ${n}`));
    world.target.put(point(n, `point ${n}`));
  }
  return world;
}

let runs = 0;

type Options = { readonly hook?: Hook; readonly run?: string; readonly given?: Partial<ReverseSettings> };

/** One worker; `open` tells whether it has left open what it had opened. */
async function compare(world: FakeWorld, { hook, run = `run ${runs}`, given = {} }: Options = {}) {
  runs += 1;
  const gate = { opened: 0, open: false };
  let dead = false;
  const {
    source: left,
    target: serving,
    store,
  } = connect(world, async (call, moment) => {
    if (dead) throw new Killed();
    try {
      await hook?.(call, moment);
    } catch (error) {
      if (error instanceof Killed) dead = true;
      throw error;
    }
  });
  const running = runReverse({
    change: `uid/${run}`,
    source: serving,
    target: left,
    gate: {
      open: async () => {
        gate.opened += 1;
        gate.open = true;
      },
      close: async () => {
        if (!dead) gate.open = false;
      },
    },
    store: store as unknown as ProgressStore<ReverseProgress>,
    identity: { id: `process-${runs}`, pod: `pod-${runs}` },
    settings: { ...settings, ...given },
    timing: world.time,
    clock: () => 1_000_000 + world.time.now(),
    log: silentLogger,
    signal: new AbortController().signal,
    isTransient: (error) => error instanceof Flaky,
  });
  const error: unknown = await running.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  return { error, gate, result: parseReverseProgress(world.progress)?.result };
}

const inStep = (world: FakeWorld): void => assert.deepEqual(world.source.sorted(), world.target.sorted());

test('what was left gets what was written, changed and deleted since, and is closed again', async () => {
  const world = moved();
  world.target.put(point(99, 'new'));
  world.target.put(point(5, 'changed'));
  world.target.drop(point(7, '').id);
  const serving = world.target.sorted();
  const { error, gate, result } = await compare(world);
  assert.equal(error, undefined);
  inStep(world);
  assert.deepEqual(world.target.sorted(), serving, 'what serves is only read');
  assert.deepEqual(
    [result?.written, result?.removed, result?.lacking, result?.equal, result?.points],
    [2, 1, 0, true, 40],
  );
  assert.equal(gate.open, false);
});

test('where nothing differs nothing is opened', async () => {
  const { gate, result } = await compare(moved());
  assert.equal(gate.opened, 0);
  assert.equal(result?.equal, true);
  assert.equal(result?.served, result?.left);
});

test('a comparison alone writes nothing, and tells what is gone', async () => {
  const world = moved();
  const before = world.source.sorted();
  world.target.put(point(5, 'changed'));
  world.target.drop(point(7, '').id);
  const { gate, result } = await compare(world, { given: { write: false } });
  assert.deepEqual(world.source.sorted(), before);
  assert.deepEqual([gate.opened, result?.lacking, result?.written, result?.removed], [0, 1, 0, 0]);
  assert.equal(result?.equal, false);
});

test('more than a tenth gone at once is taken for a loss: it stays in what was left, and new points still come', async () => {
  const world = moved();
  for (let n = 1; n <= 5; n += 1) world.target.drop(point(n, '').id);
  world.target.put(point(99, 'new'));
  const { result } = await compare(world);
  assert.equal(result?.lacking, 5);
  assert.equal(result?.removed, 0);
  assert.equal(world.source.points.size, 41);
  const accepted = await compare(world, { given: { removalPercent: 100 } });
  assert.equal(accepted.result?.removed, 5);
  inStep(world);
});

test('a serving side that is lost in whole takes nothing away', async () => {
  const world = moved();
  world.target.points.clear();
  const { result } = await compare(world);
  assert.equal(result?.lacking, 40);
  assert.equal(world.source.points.size, 40);
});

test('a shard that can not be read, before or in the middle, is not taken for deleted points', async () => {
  for (const at of [0, 6]) {
    const world = moved();
    const before = world.source.sorted();
    let pages = 0;
    const { error } = await compare(world, {
      hook: (call) => {
        if (call === 'target.page') pages += 1;
        if (pages >= at) world.target.readable = false;
      },
      given: { removalPercent: 100 },
    });
    assert.ok(error instanceof NotInStep);
    assert.deepEqual(world.source.sorted(), before);
    assert.equal(parseReverseProgress(world.progress)?.failure?.reason, 'NotInStep');
  }
});

test('a name that leads to what was left, or not to what serves, ends it before anything is removed', async () => {
  for (const at of [0, 6]) {
    const world = moved();
    world.target.drop(point(7, '').id);
    let pages = 0;
    const { error } = await compare(world, {
      hook: (call) => {
        if (call === 'source.page') pages += 1;
        if (pages >= at) world.alias = 'docs--g1';
      },
    });
    assert.ok(error instanceof NotInStep);
    assert.equal(world.source.points.size, 40);
  }
});

test('killed at every call, before and after it took effect: the next run brings it in step all the same', async () => {
  for (const when of ['before', 'after'] as const) {
    for (let kill = 1; kill < 400; kill += 3) {
      const world = moved(20);
      world.target.put(point(99, 'new'));
      world.target.drop(point(7, '').id);
      let calls = 0;
      const first = await compare(world, {
        run: 'same',
        hook: (_call, moment) => {
          if (moment !== when) return;
          calls += 1;
          if (calls === kill) throw new Killed();
        },
      });
      const second = await compare(world, { run: 'same' });
      assert.equal(second.error, undefined);
      inStep(world);
      assert.equal(second.gate.open, false);
      if (first.error === undefined) break;
    }
  }
});

test('a run that was done is not done again', async () => {
  const world = moved();
  await compare(world, { run: 'once' });
  world.target.put(point(99, 'later'));
  await compare(world, { run: 'once' });
  assert.equal(world.source.points.size, 40);
});

test('property: whatever clients write meanwhile, all that was acknowledged before a run is there after it', async () => {
  const change = fc.record({ n: fc.integer({ min: 1, max: 60 }), text: fc.option(fc.string({ maxLength: 5 })) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 30 }),
      fc.array(change, { maxLength: 30 }),
      async (before, during) => {
        const world = moved(30);
        const apply = ({ n, text }: (typeof before)[number]): void => {
          if (text === null) world.target.drop(point(n, '').id);
          else world.target.put(point(n, text));
        };
        before.forEach(apply);
        const acknowledged = new Map(world.target.points);
        const touched = new Set<bigint>();
        const { error } = await compare(world, {
          given: { removalPercent: 100 },
          hook: (call, moment) => {
            const next = moment === 'after' && call === 'target.page' ? during.shift() : undefined;
            if (next === undefined) return;
            touched.add(BigInt(point(next.n, '').id));
            apply(next);
          },
        });
        assert.equal(error, undefined);
        for (const [id, value] of acknowledged)
          if (!touched.has(id)) assert.deepEqual(world.source.points.get(id), value);
        for (const id of world.source.points.keys()) assert.ok(acknowledged.has(id) || touched.has(id));
        await compare(world, { given: { removalPercent: 100 } });
        inStep(world);
      },
    ),
    { numRuns: 40 },
  );
});

test('writes that fail for a moment are tried again', async () => {
  const world = moved();
  world.target.put(point(99, 'new'));
  let failures = 3;
  const { error } = await compare(world, {
    hook: (call, moment) => {
      if (call === 'source.upsert' && moment === 'before' && failures > 0) {
        failures -= 1;
        throw new Flaky('429');
      }
    },
  });
  assert.equal(error, undefined);
  inStep(world);
});
