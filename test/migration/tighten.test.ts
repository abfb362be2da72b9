import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Probe, Side, SideState } from '../../src/migration/side.ts';
import { type TightenOptions, type Tightness, tighten } from '../../src/migration/tighten.ts';
import { VirtualTime } from './world.ts';

/** What the source shows during one round, and what the round comes to. */
type Moment = { readonly probe?: Partial<Probe>; readonly inactive?: readonly string[]; readonly fence?: string };

const REFUSED: Probe = { passed: 0, refused: 32, unclear: undefined };
const RECOVERING = 'shard 0 on 7 is Recovery';

type Run = { readonly result: Tightness; readonly rounds: number; readonly milliseconds: number };

/** Goes through `moments`, one for each round; the last one lasts. */
async function run(moments: readonly Moment[], change: Partial<TightenOptions> = {}, queue = 0): Promise<Run> {
  const time = new VirtualTime();
  let rounds = 0;
  const now = (): Moment => moments[Math.min(rounds, moments.length - 1)] ?? {};
  const state = (): SideState => ({
    silent: [],
    peers: [
      {
        peer: 'docs-0',
        exists: true,
        unreadableShards: [],
        inactive: now().inactive ?? [],
        transfers: 0,
        fence: now().fence ?? 'nonce',
        updateQueue: queue,
        aliases: [],
      },
    ],
  });
  const never = (): never => assert.fail('tightening reads and writes no points');
  const side: Side = {
    collection: 'docs--g1',
    page: never,
    upsert: never,
    remove: never,
    count: never,
    state: async () => state(),
    probeWrites: async () => {
      await time.sleep(20);
      const probe = { ...REFUSED, ...now().probe };
      rounds += 1;
      return probe;
    },
  };
  const result = await tighten({
    side,
    nonce: 'nonce',
    timing: time,
    signal: new AbortController().signal,
    pollMilliseconds: 200,
    drainMilliseconds: 2000,
    limitMilliseconds: 5000,
    settleMilliseconds: 300,
    blindSettleMilliseconds: 600,
    touch: () => {},
    ...change,
  });
  return { result, rounds, milliseconds: time.now() };
}

test('a round that is refused throughout, between looks at Active replicas, makes a fence tight once it has settled', async () => {
  const { result, rounds, milliseconds } = await run([{ probe: { passed: 3 } }, {}]);
  assert.deepEqual(result, { kind: 'tight', rounds: 2, drainMilliseconds: 20, passed: 3 });
  assert.equal(rounds, 2);
  assert.ok(milliseconds >= 20 + 300);
});

test('a write that keeps passing, or is answered something else, makes no fence tight, in bounded time and rounds', async () => {
  for (const probe of [{ passed: 1 }, { unclear: '500' }]) {
    const { result, rounds, milliseconds } = await run([{ probe }]);
    assert.equal(result.kind, 'leaky');
    assert.ok(rounds <= 40 && milliseconds <= 2200, `${rounds} rounds, ${milliseconds} ms`);
  }
});

test('a replica that is not Active is waited for, and spoils a round after which it shows', async () => {
  let looks = 0;
  const away = (until: number): Moment => ({
    get inactive() {
      looks += 1;
      return looks < until ? [RECOVERING] : [];
    },
  });
  const { result, rounds } = await run([away(5)]);
  assert.deepEqual([result.kind, rounds], ['tight', 1], 'nothing is sent while it is away');
  looks = 0;
  const spoiled = await run([{}, away(5), {}]);
  assert.deepEqual([spoiled.result.kind, spoiled.rounds], ['tight', 2]);
  const dead = await run([{ inactive: ['shard 0 on 7 is Dead'] }]);
  assert.match(dead.result.kind === 'leaky' ? dead.result.reason : '', /shard 0 on 7 is Dead/);
});

test('a fence that is gone meanwhile is told from one that leaks', async () => {
  assert.deepEqual((await run([{ probe: { passed: 1 } }, { fence: 'another' }])).result, { kind: 'lifted' });
});

test('what stays queued is waited for to the limit, and then named', async () => {
  const { result, milliseconds } = await run([{}], {}, 7);
  assert.deepEqual(result, { kind: 'queued', reason: '7 writes are still queued' });
  assert.ok(milliseconds >= 5000);
});

test('property: tight only after a round all refused while all was calm, and all ends within its bounds', async () => {
  const moment = fc.record({
    probe: fc.record({ passed: fc.integer({ min: 0, max: 2 }), unclear: fc.constantFrom(undefined, undefined, '500') }),
    inactive: fc.constantFrom([], [], [RECOVERING]),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 60 }), async (moments) => {
      const { result, rounds, milliseconds } = await run(moments);
      assert.ok(rounds <= 41 && milliseconds <= 5000);
      if (result.kind !== 'tight') return;
      const last = moments[Math.min(rounds - 1, moments.length - 1)];
      assert.deepEqual([last?.probe.passed, last?.probe.unclear, last?.inactive], [0, undefined, []]);
    }),
    { numRuns: 200 },
  );
});
