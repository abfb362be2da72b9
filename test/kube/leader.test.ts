import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { LeaderElector, type Lease } from '../../src/kube/index.ts';
import { LeaseWorld } from './lease-world.ts';

/** Two processes; `a` leads. */
async function led() {
  const world = new LeaseWorld();
  const a = world.process('a');
  const b = world.process('b');
  const running = [a.run()];
  await world.clock.run(1000);
  running.push(b.run());
  await world.clock.run(1000);
  assert.deepEqual(world.leaders, ['a']);
  return {
    world,
    a,
    b,
    [Symbol.asyncDispose]: async () => {
      for (const process of world.processes) process.stop.abort();
      await world.clock.run(60_000);
      await Promise.all(running);
    },
  };
}

test('the first comes to lead, the second waits', async () => {
  await using scene = await led();
  const { world } = scene;
  await world.clock.run(300_000);
  assert.deepEqual(world.leaders, ['a']);
  assert.equal(world.lease?.spec?.leaseTransitions, 0);
});

test('times in the lease have six fractional digits, as the server demands', async () => {
  await using scene = await led();
  const { acquireTime, renewTime } = scene.world.lease?.spec ?? {};
  for (const time of [acquireTime, renewTime]) assert.match(time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
});

test('a leader that is told to stop ends its work first, then gives the lease up, and the other leads at once', async () => {
  await using scene = await led();
  const { world, a } = scene;
  a.stop.abort();
  await world.clock.run(5000);
  assert.deepEqual(a.outcomes, ['released']);
  assert.deepEqual(world.leaders, ['b']);
  assert.equal(world.lease?.spec?.leaseTransitions, 1);
});

test('the lease is kept while the work winds down', async () => {
  const world = new LeaseWorld();
  const a = world.process('a');
  const work = Promise.withResolvers<void>();
  a.work = () => work.promise;
  const running = a.run();
  await world.clock.run(1000);
  a.stop.abort();
  await world.clock.run(60_000);
  assert.equal(a.elector.isLeading, true);
  work.resolve();
  await world.clock.run(100);
  await running;
  assert.deepEqual(a.outcomes, ['released']);
  assert.equal(world.lease?.spec?.holderIdentity, '');
  assert.throws(() => a.elector.assertLeading(), { name: 'LeadershipError' });
});

test('work that fails gives the lease up, and the failure comes out of run', async () => {
  const world = new LeaseWorld();
  const a = world.process('a');
  a.work = () => Promise.reject(new Error('broken'));
  const running = assert.rejects(a.run(), /broken/);
  await world.clock.run(5000);
  await running;
  assert.equal(world.lease?.spec?.holderIdentity, '');
});

test('a leader cut off loses after the renew deadline, before the other may lead', async () => {
  await using scene = await led();
  const { world, a } = scene;
  a.cut(60_000);
  await world.clock.run(7_900);
  assert.deepEqual(world.leaders, ['a'], 'its last renewal is at most two seconds older than the cut');
  await world.clock.run(2_200);
  assert.deepEqual(world.leaders, []);
  assert.deepEqual(a.outcomes, ['lost']);
  assert.throws(() => a.elector.assertLeading(), { name: 'LeadershipError' });
  await world.clock.run(10_000);
  assert.deepEqual(world.leaders, ['b']);
});

test('the work is told of the loss', async () => {
  const world = new LeaseWorld();
  const a = world.process('a');
  let lost: AbortSignal | undefined;
  a.work = (signal) => {
    lost ??= signal;
  };
  const running = a.run();
  await world.clock.run(1000);
  a.cut(60_000);
  await world.clock.run(11_000);
  assert.equal(lost?.aborted, true);
  a.stop.abort();
  await world.clock.run(60_000);
  await running;
});

test('leadership that was lost can be won back', async () => {
  await using scene = await led();
  const { world, a, b } = scene;
  a.cut(60_000);
  await world.clock.run(60_000);
  b.cut(60_000);
  await world.clock.run(40_000);
  assert.deepEqual(world.leaders, ['a']);
  assert.equal(a.led, 2);
  assert.equal(world.lease?.spec?.leaseTransitions, 2);
});

test('after a stall longer than the deadline nothing is asserted, though no timer has fired yet', async () => {
  await using scene = await led();
  const { world, a } = scene;
  a.stall(12_000);
  await world.clock.run(11_999);
  assert.throws(() => a.elector.assertLeading(), { name: 'LeadershipError' });
  await world.clock.run(5_000);
  assert.deepEqual(a.outcomes, ['lost'], 'a late renewal must not hide the gap');
});

test('one hung request does not lose the lease', async () => {
  await using scene = await led();
  const { world, a } = scene;
  a.cut(4_000);
  await world.clock.run(60_000);
  assert.deepEqual(a.outcomes, []);
  assert.deepEqual(world.leaders, ['a']);
});

test('the holder that died is waited out by the clock of the one who waits', async () => {
  await using scene = await led();
  const { world, a } = scene;
  a.cut(1e9);
  a.stall(1e9);
  await world.clock.run(13_000);
  assert.deepEqual(world.leaders, []);
  await world.clock.run(8_000);
  assert.deepEqual(world.leaders, ['b']);
  a.stop.abort();
});

test('the metric says who leads', async () => {
  const metrics = new Registry();
  const world = new LeaseWorld();
  const a = world.process('a', { metrics });
  assert.match(await metrics.metrics(), /leader_election_master_status\{name="lease"\} 0/);
  const running = a.run();
  await world.clock.run(1000);
  assert.match(await metrics.metrics(), /leader_election_master_status\{name="lease"\} 1/);
  a.stop.abort();
  await world.clock.run(1000);
  await running;
  assert.match(await metrics.metrics(), /leader_election_master_status\{name="lease"\} 0/);
});

test('times that would let two lead at once are refused', () => {
  const world = new LeaseWorld();
  assert.throws(() => world.process('a', { leaseSeconds: 10, renewSeconds: 10 }), RangeError);
  assert.throws(() => world.process('a', { renewSeconds: 2, retrySeconds: 2 }), RangeError);
});

test('a real event loop that stalls longer than the deadline asserts nothing afterwards', async () => {
  let lease: Lease | undefined;
  const write = (object: Lease): Promise<Lease> => {
    lease = object;
    return Promise.resolve(object);
  };
  const client = {
    find: () => Promise.resolve(lease),
    create: (_type: unknown, object: Lease) => write(object),
    replace: (_type: unknown, object: Lease) => write(object),
  } as unknown as ConstructorParameters<typeof LeaderElector>[0]['client'];
  const times = { leaseSeconds: 0.3, renewSeconds: 0.1, retrySeconds: 0.02 };
  const elector = new LeaderElector({ client, namespace: 'ns', name: 'lease', identity: 'a', ...times });
  const asserted = Promise.withResolvers<boolean[]>();
  const onLeading = (): void => {
    const before = elector.isLeading;
    for (const end = performance.now() + 130; performance.now() < end; ) {
      // Nothing else of this process runs here.
    }
    asserted.resolve([before, elector.isLeading]);
  };
  const ended = await elector.run(new AbortController().signal, { onLeading });
  assert.deepEqual(await asserted.promise, [true, false]);
  assert.equal(ended, 'lost');
});

const fault = fc.record({
  kind: fc.constantFrom('stall' as const, 'cut' as const, 'stop' as const),
  process: fc.integer({ min: 0, max: 2 }),
  afterSeconds: fc.integer({ min: 0, max: 20 }),
  seconds: fc.integer({ min: 1, max: 30 }),
});

test('under any stalls, cuts and delays never do two lead at one time, and in the calm after it one does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 12 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 4000 })),
      async (faults, delays) => {
        let calm = false;
        const world = new LeaseWorld(() => (calm ? 5 : (delays.next().value as number)));
        const running = ['a', 'b', 'c']
          .map((identity) => world.process(identity, { leaseSeconds: 11 }))
          .map((process) => process.run());
        const alone = (): void => assert.ok(world.leaders.length <= 1, `${world.leaders.join()} lead`);
        for (const { kind, process, afterSeconds, seconds } of faults) {
          await world.clock.run(afterSeconds * 1000, alone);
          const chosen = world.processes[process];
          if (kind === 'stall') chosen?.stall(seconds * 1000);
          else if (kind === 'cut') chosen?.cut(seconds * 1000);
          else if (process > 0) chosen?.stop.abort();
        }
        calm = true;
        await world.clock.run(80_000, alone);
        assert.equal(world.leaders.length, 1);
        for (const each of world.processes) each.stop.abort();
        await world.clock.run(60_000, alone);
        await Promise.all(running);
      },
    ),
    { numRuns: 40 },
  );
});
