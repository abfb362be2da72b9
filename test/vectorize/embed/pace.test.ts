import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstWindow, grown, halved } from '../../../src/vectorize/embed/aimd.ts';
import { Gate } from '../../../src/vectorize/embed/gate.ts';
import type { Clock } from '../../../src/vectorize/embed/index.ts';
import { EmbedError } from '../../../src/vectorize/embed/index.ts';
import { MinuteWindow, RateLimiter } from '../../../src/vectorize/embed/rate.ts';
import { DEFAULT_RETRY, nextWait } from '../../../src/vectorize/embed/retry.ts';
import { embedderAndClient, texts } from './support.ts';

/** Sleeping takes no time: the clock jumps. */
function jumpingClock(): Clock & { time: number; readonly sleeps: number[] } {
  const clock = {
    time: 0,
    sleeps: [] as number[],
    now: () => clock.time,
    date: () => clock.time,
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      clock.sleeps.push(milliseconds);
      await new Promise(setImmediate);
      clock.time += milliseconds;
    },
  };
  return clock;
}

test('no minute, wherever it begins, holds more requests or tokens than the limits', () => {
  const step = fc.record({ tokens: fc.integer({ min: 1, max: 100 }), idle: fc.nat(5000) });
  const limits = fc.record({
    requestsPerMinute: fc.integer({ min: 1, max: 40 }),
    tokensPerMinute: fc.integer({ min: 100, max: 2000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), limits, (steps, limit) => {
      const window = new MinuteWindow(limit);
      const sent: { at: number; tokens: number }[] = [];
      let now = 0;
      for (const { tokens, idle } of steps) {
        now += idle;
        for (let wait = window.take(tokens, now); wait > 0; wait = window.take(tokens, now)) now += wait;
        sent.push({ at: now, tokens });
      }
      for (const { at: begin } of sent) {
        const minute = sent.filter(({ at }) => at >= begin && at < begin + 60_000);
        assert.ok(minute.length <= limit.requestsPerMinute);
        assert.ok(minute.reduce((sum, { tokens }) => sum + tokens, 0) <= limit.tokensPerMinute);
      }
    }),
    { numRuns: 50 },
  );
});

test('a limit is used: a wait is never longer than until the oldest second is a minute ago', () => {
  const window = new MinuteWindow({ requestsPerMinute: 2 });
  assert.equal(window.take(1, 0), 0);
  assert.equal(window.take(1, 500), 0);
  assert.equal(window.take(1, 600), 60_400);
  assert.equal(window.take(1, 61_000), 0);
});

test('a request that is larger than a minute may have goes when nothing else went', () => {
  const window = new MinuteWindow({ tokensPerMinute: 10 });
  assert.equal(window.take(50, 0), 0);
  assert.ok(window.take(1, 30_000) > 0);
});

test('requests go in the order in which they came, and none before Retry-After has passed', async () => {
  const clock = jumpingClock();
  const limiter = new RateLimiter({ requestsPerMinute: 1 }, clock);
  limiter.pause(30);
  const went: [number, number][] = [];
  await Promise.all([0, 1, 2].map((index) => limiter.take(1).then(() => went.push([index, clock.time]))));
  assert.deepEqual(
    went.map(([index]) => index),
    [0, 1, 2],
  );
  assert.deepEqual(
    went.map(([, at]) => at >= 30_000),
    [true, true, true],
  );
  assert.ok((went[2]?.[1] ?? 0) - (went[0]?.[1] ?? 0) >= 120_000);
});

test('one that gives up waiting holds nobody else back', async () => {
  const limiter = new RateLimiter({}, jumpingClock());
  await assert.rejects(limiter.take(1, AbortSignal.abort(new Error('enough'))), /enough/);
  await limiter.take(1);
});

test('the window of requests stays between 1 and the most, halves once a round, and grows again', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), fc.integer({ min: 1, max: 64 }), (signs, max) => {
      let window = firstWindow;
      for (const ok of signs) {
        window = ok ? grown(window, max) : halved(window, window.epoch);
        assert.ok(window.size >= 1 && window.size <= max);
      }
    }),
  );
  const wide = { size: 8, slowStart: false, epoch: 3 };
  assert.equal(halved(wide, 3).size, 4);
  assert.equal(halved(halved(wide, 3), 3).size, 4, 'sent before the last halving');
  let window = halved(wide, 3);
  for (let success = 0; success < 40; success += 1) window = grown(window, 8);
  assert.equal(window.size, 8);
});

test('never more are inside the gate than its window, and everybody gets in, in order', async () => {
  const gate = new Gate(3);
  let inside = 0;
  const entered: number[] = [];
  const work = async (index: number): Promise<void> => {
    const place = await gate.enter();
    entered.push(index);
    inside += 1;
    assert.ok(inside <= gate.window);
    await new Promise(setImmediate);
    inside -= 1;
    place.leave(index % 5 === 4 ? 'overloaded' : 'ok');
    place.leave('ok');
  };
  await Promise.all(Array.from({ length: 30 }, (_, index) => work(index)));
  assert.deepEqual(
    entered,
    entered.toSorted((a, b) => a - b),
  );
  assert.equal(entered.length, 30);
});

test('one that gives up at the gate leaves its place to the next', async () => {
  const gate = new Gate(1);
  const first = await gate.enter();
  const controller = new AbortController();
  const second = gate.enter(controller.signal);
  const third = gate.enter();
  controller.abort(new Error('enough'));
  await assert.rejects(second, /enough/);
  first.leave('neutral');
  (await third).leave('ok');
});

const overloaded = (retryAfterSeconds: number): EmbedError =>
  new EmbedError({ code: 'RateLimited', endpoint: 'e', message: 'm', retryAfterSeconds });

test('waits stay between what the endpoint asks and the ceiling of their round', () => {
  fc.assert(
    fc.property(fc.nat(20), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(200), (round, random, asked) => {
      const wait = nextWait(round, overloaded(asked), { ...DEFAULT_RETRY, attempts: 10, random: () => random });
      if (round >= 9 || asked > 120) return assert.equal(wait, 'giveUp');
      assert.ok(wait !== 'giveUp' && wait.milliseconds >= asked * 1000);
      assert.ok(wait.milliseconds <= asked * 1000 + Math.min(30_000, 500 * 2 ** round));
    }),
  );
});

test('what is permanent is not waited for', () => {
  const error = new EmbedError({ code: 'Unauthorized', endpoint: 'e', message: 'm' });
  assert.equal(nextWait(0, error, { ...DEFAULT_RETRY, random: () => 0 }), 'giveUp');
});

test('limits of a minute hold for a client, its repeats included', async (t) => {
  const clock = jumpingClock();
  const { server, client } = await embedderAndClient(t, { clock, batchSize: 1, requestsPerMinute: 2 });
  server.faults.add({ kind: 'status', status: 500 });
  await client.embed(texts(5));
  assert.equal(server.served.requests, 6);
  assert.ok(clock.time >= 120_000 && clock.time < 240_000, `${clock.time}`);
});

test('no batch has more tokens than a minute may have', async (t) => {
  const clock = jumpingClock();
  const { server, client } = await embedderAndClient(t, { clock, tokensPerMinute: 12 });
  await client.embed(texts(6));
  assert.equal(server.served.requests, 3);
  assert.ok(clock.time >= 120_000);
});

test('after a Retry-After nobody is sent before its time has come', async (t) => {
  const clock = jumpingClock();
  const { server, client } = await embedderAndClient(t, { clock, batchSize: 1 });
  server.faults.add({ kind: 'status', status: 429, retryAfter: '30' });
  await client.embed(texts(6));
  // The one that was refused, and the next, which was about to go.
  assert.equal(clock.sleeps.filter((milliseconds) => milliseconds >= 30_000).length, 2);
});
