import assert from 'node:assert/strict';
import { test } from 'node:test';
import { continued, Keeper, ProgressConflict, type ProgressStore } from '../../src/migration/keeper.ts';
import { newProgress, type Progress } from '../../src/migration/progress.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { VirtualTime } from './world.ts';

class Store implements ProgressStore<Progress> {
  progress: Progress | undefined;
  version = 0;
  /** The answer to the next write gets lost. */
  silent = false;

  async read() {
    return { progress: this.progress, version: String(this.version) };
  }

  async write(progress: Progress, version: string): Promise<string> {
    if (version !== String(this.version)) throw new ProgressConflict('another version');
    this.progress = progress;
    this.version += 1;
    if (!this.silent) return String(this.version);
    this.silent = false;
    throw new ProgressConflict('the repeat of a write that was heard');
  }
}

const keeperOf = (store: Store, id = 'a'): Promise<Keeper<Progress>> =>
  Keeper.takeOver({
    store,
    begin: continued('uid/2', newProgress),
    identity: { id, pod: id },
    timing: new VirtualTime(),
    log: silentLogger,
    signal: new AbortController().signal,
    leaseMilliseconds: 4000,
  });

test('what is saved stands there, also when somebody changed something else of the object meanwhile', async () => {
  const store = new Store();
  const keeper = await keeperOf(store);
  store.version += 1;
  keeper.update({ copied: 7 });
  await keeper.save();
  assert.equal(store.progress?.copied, 7);
});

test('a write whose answer got lost is not written twice', async () => {
  const store = new Store();
  const keeper = await keeperOf(store);
  const { version } = store;
  store.silent = true;
  keeper.update({ copied: 7 });
  await keeper.save();
  assert.deepEqual([store.version, store.progress?.copied], [version + 1, 7]);
});

test('who has lost the progress to another writes no more', async () => {
  const store = new Store();
  const first = await keeperOf(store);
  const second = await keeperOf(store, 'b');
  await assert.rejects(first.save(), ProgressConflict);
  assert.ok(first.lost.aborted);
  await second.save();
  assert.equal(store.progress?.holder.pod, 'b');
});
