import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCROLL_ENGINE } from '../../src/migration/copy.ts';
import { parseProgress } from '../../src/migration/progress.ts';
import { runCopy } from '../../src/migration/task.ts';
import { silentLogger } from '../../src/telemetry/index.ts';
import { COPY_SETTINGS, connect, FakeWorld, type Hook } from './world.ts';

class Full extends Error {}

const run = (world: FakeWorld, hook: Hook, signal: AbortSignal): Promise<void> =>
  runCopy({
    change: 'uid/2',
    ...connect(world, hook),
    engine: SCROLL_ENGINE,
    identity: { id: 'process-1', pod: 'pod-1' },
    settings: COPY_SETTINGS,
    timing: world.time,
    log: silentLogger,
    signal,
    isTransient: (error) => error instanceof Full,
  });

test('what a write meets again and again is noted while it lasts, and no longer', async () => {
  const world = new FakeWorld();
  for (let id = 1; id <= 12; id += 1) world.source.put({ id, vector: [1, 2], payload: { text: `point ${id}` } });
  const note = () => parseProgress(world.progress)?.note;
  const notes: (string | undefined)[] = [];
  const ended = new AbortController();
  let failures = 0;
  const hook: Hook = (call, moment) => {
    if (call !== 'target.upsert' || moment !== 'before' || failures >= 7) return;
    notes.push(note());
    failures += 1;
    throw new Full('No space left on device');
  };
  const running = run(world, hook, ended.signal).catch(() => undefined);
  while (parseProgress(world.progress)?.phase !== 'Converging') await world.time.sleep(100);
  assert.deepEqual([...new Set(notes)], [undefined, 'No space left on device']);
  assert.equal(note(), undefined, 'it goes on');
  assert.equal(world.target.points.size, 12);
  ended.abort(new Error('it is over'));
  await running;
});
