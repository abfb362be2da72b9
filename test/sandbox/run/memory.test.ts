import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { proportionalBytes, watchMemory } from '../../../sandbox/run/memory.ts';

const MEBIBYTE = 1024 ** 2;
const RISE = 200 * MEBIBYTE;

test('the highest sum stands, also when it is over', async () => {
  const memory = watchMemory(() => [process.pid]);
  await sleep(1500);
  const before = await proportionalBytes(process.pid);
  let held: Buffer | undefined = Buffer.alloc(RISE, 1);
  await sleep(2500);
  assert.equal(held.length, RISE);
  held = undefined;
  globalThis.gc?.();
  const peak = memory.stop();
  assert.ok(
    peak >= before + RISE * 0.8,
    `${Math.round(peak / MEBIBYTE)} of ${Math.round(before / MEBIBYTE)} MiB before`,
  );
});
