import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chapter, Stage } from '../../../sandbox/run/stage.ts';
import { together } from '../../../sandbox/run/together.ts';

const stage = {} as Stage;

test('chapters are played side by side, and each tells its progress beside the other', async () => {
  const met = Promise.withResolvers<void>();
  const waits: Chapter = {
    title: 'one waits',
    play: async (_stage, progress) => {
      progress('waiting');
      await met.promise;
    },
  };
  const comes: Chapter = {
    title: 'the other comes',
    play: async (_stage, progress) => {
      progress('here');
      met.resolve();
    },
  };
  const told: string[] = [];
  const both = together(waits, comes);
  assert.equal(both.title, 'one waits; meanwhile: the other comes');
  await both.play(stage, (text) => told.push(text));
  assert.deepEqual(told, ['waiting', 'waiting | here']);
});

test('when one fails the other is played to its end before that is told', async () => {
  let ended = false;
  const fails: Chapter = { title: 'fails', play: () => Promise.reject(new Error('no')) };
  const ends: Chapter = {
    title: 'ends',
    play: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      ended = true;
    },
  };
  await assert.rejects(
    together(fails, ends).play(stage, () => undefined),
    /no/,
  );
  assert.equal(ended, true);
});
