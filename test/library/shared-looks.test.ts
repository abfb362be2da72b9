import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { SharedLooks } from '../../src/library/shared-looks.ts';

const peer = { name: 'main-0' };
let now = 0;
let asked = 0;
let looks = new SharedLooks<object, number>({ now: () => now });
beforeEach(() => {
  now = 100_000;
  asked = 0;
  looks = new SharedLooks<object, number>({ now: () => now });
});

/** An answer is the number of the request. */
const request = (
  change: { fresh?: boolean; signal?: AbortSignal; ask?: () => Promise<number>; cluster?: string } = {},
) =>
  looks.of({
    cluster: 'team/main',
    peer,
    fresh: false,
    signal: new AbortController().signal,
    ask: async () => {
      asked += 1;
      return asked;
    },
    ...change,
  });

test('who looks at the same time asks once, and so does who looks within a second', async () => {
  assert.deepEqual(await Promise.all([request(), request(), request()]), [1, 1, 1]);
  now += 1000;
  assert.equal(await request(), 1);
  now += 1;
  assert.equal(await request(), 2);
});

test('the age counts from the question, not from the answer', async () => {
  const slow = Promise.withResolvers<number>();
  const first = request({ ask: () => slow.promise });
  now += 1500;
  assert.equal(await request(), 1, 'does not join what was asked so long ago');
  slow.resolve(7);
  assert.equal(await first, 7);
});

test('a fresh look asks always, and what it saw is there for the others', async () => {
  await request();
  assert.equal(await request({ fresh: true }), 2);
  assert.equal(await request(), 2);
});

test('after a change nothing counts that was seen or asked for before', async () => {
  await request();
  looks.forget('team/main');
  assert.equal(await request(), 2);
  const slow = Promise.withResolvers<number>();
  const before = request({ fresh: true, ask: () => slow.promise });
  looks.forget('team/main');
  assert.equal(await request(), 3, 'does not join what was asked before the change');
  slow.resolve(7);
  await before;
  assert.equal(await request(), 3);
});

test('clusters share nothing', async () => {
  await request();
  assert.equal(await request({ cluster: 'team/other' }), 2);
  looks.forget('team/other');
  assert.equal(await request(), 1);
});

test('that a peer fails is an answer like another; that somebody else was stopped is none', async () => {
  const failing = () => Promise.reject(new Error('refused'));
  await assert.rejects(request({ ask: failing }), /refused/);
  await assert.rejects(request(), /refused/);
  assert.equal(asked, 0);

  const stopped = new AbortController();
  const slow = Promise.withResolvers<number>();
  const first = request({ fresh: true, signal: stopped.signal, ask: () => slow.promise });
  const joined = request();
  stopped.abort();
  slow.reject(new Error('aborted'));
  await assert.rejects(first, /aborted/);
  assert.equal(await joined, 1);
});

test('a clock that is set back makes no answer last', async () => {
  await request();
  now -= 5000;
  assert.equal(await request(), 2);
});
