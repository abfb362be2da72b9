import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { LOW_PRIORITY, WorkQueue } from '../../src/kube/index.ts';
import { ManualClock } from './manual-clock.ts';

function newQueue() {
  const clock = new ManualClock();
  const queue = new WorkQueue<string>({ name: 'test', textOf: (key) => key, clock, random: () => 0 });
  return {
    clock,
    queue,
    /** What is handed out now, in order; nothing is given back. */
    drain: async () => {
      const keys: string[] = [];
      while (queue.due > 0) keys.push((await queue.next())?.key ?? '');
      return keys;
    },
  };
}

test('a key added twice is handed out once', async () => {
  const { queue, drain } = newQueue();
  queue.add('a');
  queue.add('a');
  assert.deepEqual(await drain(), ['a']);
});

test('within a priority the first come is the first served', async () => {
  const { queue, drain } = newQueue();
  for (const key of ['c', 'a', 'b', 'a']) queue.add(key);
  assert.deepEqual(await drain(), ['c', 'a', 'b']);
});

test('what a user changed goes before the first list and the resync', async () => {
  const { queue, drain } = newQueue();
  queue.add('listed', { priority: LOW_PRIORITY });
  queue.add('edited too', { priority: LOW_PRIORITY });
  queue.add('edited');
  queue.add('edited too');
  assert.deepEqual(await drain(), ['edited', 'edited too', 'listed']);
});

test('a key added while it is worked on is handed out again, after it was given back', async () => {
  const { queue, drain } = newQueue();
  queue.add('a');
  assert.deepEqual(await drain(), ['a']);
  queue.add('a');
  assert.deepEqual(await drain(), []);
  queue.done('a');
  assert.deepEqual(await drain(), ['a']);
});

test('a delayed key comes when its time has come', async () => {
  const { clock, queue, drain } = newQueue();
  queue.add('a', { afterSeconds: 10 });
  clock.advance(9_999);
  assert.deepEqual(await drain(), []);
  clock.advance(1);
  assert.deepEqual(await drain(), ['a']);
});

test('a key added again takes the earlier time', async () => {
  const { clock, queue, drain } = newQueue();
  queue.add('sooner', { afterSeconds: 10 });
  queue.add('sooner', { afterSeconds: 5 });
  queue.add('not later', { afterSeconds: 5 });
  queue.add('not later', { afterSeconds: 10 });
  queue.add('at once', { afterSeconds: 10 });
  queue.add('at once');
  assert.deepEqual(await drain(), ['at once']);
  clock.advance(5_000);
  assert.deepEqual(await drain(), ['sooner', 'not later']);
});

test('delays longer than a timer can be are kept', async () => {
  const { clock, queue, drain } = newQueue();
  queue.add('a', { afterSeconds: 5_000_000 });
  clock.advance(4_999_999_000);
  assert.deepEqual(await drain(), []);
  clock.advance(1_000);
  assert.deepEqual(await drain(), ['a']);
});

test('failures double the delay from the floor to 1000 s, until the key is forgotten', async () => {
  const { clock, queue, drain } = newQueue();
  const delays: number[] = [];
  const fail = async (): Promise<void> => {
    queue.addRateLimited('a');
    delays.push(clock.nextIn());
    clock.advance(clock.nextIn());
    assert.deepEqual(await drain(), ['a']);
    queue.done('a');
  };
  for (let failure = 0; failure < 20; failure += 1) await fail();
  assert.deepEqual(delays.slice(0, 4), [5, 10, 20, 40]);
  assert.equal(delays.at(-1), 1_000_000);
  queue.forget('a');
  await fail();
  assert.equal(delays.at(-1), 5);
});

test('a server that asks to be left alone longer than the backoff is left alone', () => {
  const { clock, queue } = newQueue();
  queue.addRateLimited('a', { floorSeconds: 7 });
  assert.equal(clock.nextIn(), 7000);
});

test('a closed queue sends its waiters home and leaves no timer', async () => {
  const { clock, queue } = newQueue();
  queue.add('a', { afterSeconds: 10 });
  const waiting = queue.next();
  queue.close();
  assert.equal(await waiting, undefined);
  assert.equal(await queue.next(), undefined);
  queue.add('b');
  assert.equal(queue.size, 0);
  assert.equal(clock.timers, 0);
});

test('giving back what was not taken is an error', () => {
  assert.throws(() => newQueue().queue.done('a'), /a is not being worked on/);
});

test('depth, adds, retries and times are told under the names of controller-runtime', async () => {
  const metrics = new Registry();
  const clock = new ManualClock();
  const queue = new WorkQueue<string>({ name: 'docs', textOf: (key) => key, clock, metrics, random: () => 0 });
  queue.add('a', { priority: LOW_PRIORITY });
  queue.add('b');
  queue.addRateLimited('c');
  await queue.next();
  clock.advance(3_000);
  const text = await metrics.metrics();
  for (const line of [
    'workqueue_depth{name="docs",controller="docs",priority="-100"} 1',
    'workqueue_adds_total{name="docs",controller="docs"} 3',
    'workqueue_retries_total{name="docs",controller="docs"} 1',
    'workqueue_unfinished_work_seconds{name="docs",controller="docs"} 3',
    'workqueue_longest_running_processor_seconds{name="docs",controller="docs"} 3',
    'workqueue_queue_duration_seconds_count{name="docs",controller="docs"} 1',
  ]) {
    assert.ok(text.includes(line), `${line}\nin\n${text}`);
  }
  queue.done('b');
  assert.match(await metrics.metrics(), /workqueue_work_duration_seconds_sum\{name="docs",controller="docs"\} 3/);
});

type Action =
  | { readonly kind: 'add'; readonly key: string; readonly priority: number; readonly afterSeconds: number }
  | { readonly kind: 'take' | 'fail' | 'succeed' }
  | { readonly kind: 'pass'; readonly seconds: number };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant('add' as const),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    priority: fc.constantFrom(LOW_PRIORITY, 0, 10),
    afterSeconds: fc.constantFrom(0, 0, 1, 5),
  }),
  fc.record({ kind: fc.constantFrom('take' as const, 'fail' as const, 'succeed' as const) }),
  fc.record({ kind: fc.constant('pass' as const), seconds: fc.integer({ min: 1, max: 6 }) }),
);

test('whatever happens, no key is worked on twice at once, none is lost, and the order is as promised', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const { clock, queue } = newQueue();
      /** What the queue owes: key -> highest priority asked for and earliest time. */
      const owed = new Map<string, { priority: number; dueAt: number }>();
      const working: string[] = [];
      const owe = (key: string, priority: number, dueAt: number): void => {
        const before = owed.get(key) ?? { priority, dueAt };
        owed.set(key, { priority: Math.max(priority, before.priority), dueAt: Math.min(dueAt, before.dueAt) });
      };
      const due = (): string[] =>
        [...owed].filter(([key, { dueAt }]) => dueAt <= clock.now() && !working.includes(key)).map(([key]) => key);
      const take = async (): Promise<void> => {
        const item = await queue.next();
        assert.ok(item !== undefined && !working.includes(item.key), 'handed out twice at once');
        const highest = Math.max(...due().map((key) => owed.get(key)?.priority ?? Number.NaN));
        assert.equal(item.priority, highest);
        owed.delete(item.key);
        working.push(item.key);
      };
      for (const each of actions) {
        if (each.kind === 'add') {
          queue.add(each.key, each);
          owe(each.key, each.priority, clock.now() + each.afterSeconds * 1000);
        } else if (each.kind === 'pass') clock.advance(each.seconds * 1000);
        else if (each.kind === 'take' && queue.due > 0) await take();
        else if (each.kind !== 'take' && working.length > 0) {
          const key = working.shift() ?? '';
          if (each.kind === 'fail') {
            queue.addRateLimited(key);
            owe(key, 0, clock.now() + 5 * 2 ** (queue.failures(key) - 1));
          }
          queue.done(key);
        }
        assert.equal(queue.due, due().length);
      }
      for (const key of working.splice(0)) queue.done(key);
      clock.advance(10_000_000);
      while (owed.size > 0) await take();
      assert.equal(queue.size, 0);
      queue.close();
      assert.equal(clock.timers, 0);
    }),
    { numRuns: 300 },
  );
});
