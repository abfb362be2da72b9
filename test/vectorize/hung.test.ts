import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_REPLACED } from '../../src/vectorize/decide/hung.ts';
import { parseVectorizeProgress } from '../../src/vectorize/progress.ts';
import { Sim, settings } from './sim.ts';

const holder = { id: 'w', pod: 'handbook-vec-1-abc', released: false };

/** A run whose worker has begun. */
function running(): Sim {
  const sim = new Sim();
  sim.passes(2);
  sim.says({ step: 'Embedding', total: 10, activity: 1, cursor: 'guide/b.md', holder: { ...holder, beat: 1 } });
  sim.pass();
  return sim;
}

/** Seconds go by, with a pass in each. */
function elapse(sim: Sim, seconds: number, each: (second: number) => void = () => {}): void {
  for (let second = 0; second < seconds; second += 1) {
    sim.now += 1000;
    each(second);
    sim.pass();
  }
}

const eventsOf = (sim: Sim, reason: string) => sim.events.filter((event) => event.reason === reason);

test('a worker that gives no sign of life is ended after a minute, and another goes on with the same run', () => {
  const sim = running();
  const { run } = sim;
  const since = sim.job.status?.progress?.pulse?.beatAt ?? '';
  elapse(sim, settings.silenceSeconds - 1);
  assert.deepEqual(sim.runsStarted.length, 1, 'it has time until then');
  elapse(sim, 4);
  assert.deepEqual(
    sim.steps.map(({ kind }) => kind),
    ['startWorker', 'stopWorkers', 'startWorker'],
  );
  assert.deepEqual(sim.runsStarted, [run, run]);
  assert.equal(sim.jobs[0]?.attempt, 1);
  const [event, ...others] = eventsOf(sim, 'WorkerSilent');
  assert.deepEqual(others, []);
  const words = [
    'gives no sign of life',
    since,
    'longer than 60 s',
    'pod handbook-vec-1-abc',
    'at Embedding',
    'guide/b.md',
  ];
  for (const word of words) {
    assert.ok(event?.note.includes(word), `${word}: ${event?.note}`);
    assert.ok(sim.message('WorkerHung').includes(word), word);
  }
  assert.match(event?.note ?? '', /another worker goes on \(1 of 3\)/);
  assert.equal(sim.condition('WorkerHung'), 'True WorkerSilent');
  sim.says({ holder: { ...holder, id: 'x', beat: 1 } });
  sim.ends();
  sim.passes(3);
  assert.equal(sim.condition('WorkerHung'), undefined);
  assert.equal(sim.condition('Ready'), 'True Succeeded');
});

test('a worker that is alive and gets nowhere has ten minutes beside the time of its embedder', () => {
  const sim = running();
  const limit = settings.stallSeconds + 60;
  elapse(sim, limit - 1, (second) => sim.says({ holder: { ...holder, beat: second } }));
  assert.equal(sim.runsStarted.length, 1);
  elapse(sim, 20, (second) => sim.says({ holder: { ...holder, beat: limit + second } }));
  assert.equal(sim.runsStarted.length, 2);
  assert.match(eventsOf(sim, 'WorkerStalled')[0]?.note ?? '', /is alive and gets nowhere since .*, longer than 660 s/);
});

test('a worker that gets on, however slowly, is left alone for hours', () => {
  const sim = running();
  elapse(sim, 4 * 3600, (second) =>
    sim.says({ holder: { ...holder, beat: second }, activity: Math.floor(second / 500) }),
  );
  assert.equal(sim.runsStarted.length, 1);
  assert.deepEqual(eventsOf(sim, 'WorkerStalled'), []);
});

test('a pod that waits for its image, volume or node does not hang', () => {
  const sim = new Sim();
  sim.passes(2);
  sim.jobs = sim.jobs.map((worker) => ({ ...worker, begun: false, message: 'pod x: ErrImagePull' }));
  elapse(sim, 3600);
  assert.equal(sim.runsStarted.length, 1);
  sim.jobs = sim.jobs.map(({ name, run, attempt }) => ({ name, run, attempt, begun: true, state: 'running' }));
  elapse(sim, settings.silenceSeconds + 4);
  assert.equal(sim.runsStarted.length, 2, 'one that has begun and says nothing does');
  assert.match(eventsOf(sim, 'WorkerSilent')[0]?.note ?? '', /it has said nothing yet/);
});

test('workers are replaced so often in a run, whatever happens to the operator; then the run fails, and is tried again', () => {
  for (const crashes of [false, true]) {
    const sim = running();
    let guard = 0;
    while (sim.job.status?.lastRun === undefined && guard < 10_000) {
      guard += 1;
      sim.now += 1000;
      // A process that dies after what it did, before it wrote it down, at any moment.
      sim.pass({ crash: crashes && guard % 3 === 0 });
    }
    const { lastRun } = sim.job.status ?? {};
    assert.deepEqual([lastRun?.result, lastRun?.reason, lastRun?.failures], ['Failed', 'WorkerSilent', 1]);
    assert.equal(
      eventsOf(sim, 'WorkerSilent').filter(({ note }) => note.includes('is ended')).length,
      MOST_REPLACED + 1,
    );
    assert.equal(sim.condition('WorkerHung'), 'True WorkerSilent');
    assert.deepEqual(sim.jobs, [], 'none is left that hangs');
    sim.now += 10_000;
    sim.passes(3);
    assert.equal(sim.job.status?.progress?.cause, 'Retry');
    sim.ends();
    sim.passes(3);
    assert.equal(sim.condition('Ready'), 'True Succeeded');
    assert.equal(sim.condition('WorkerHung'), undefined);
  }
});

test('a restarted operator goes on counting, and listens for a while before it judges', () => {
  const sim = running();
  elapse(sim, 50);
  sim.watchedSince = sim.now;
  elapse(sim, 20);
  assert.equal(sim.runsStarted.length, 1, 'it has not listened long enough');
  elapse(sim, 15);
  assert.equal(sim.runsStarted.length, 2, 'and does not begin at nothing');
});

test('one that hangs at its end, too, is over once its result is there', () => {
  const sim = running();
  elapse(sim, 59);
  sim.ends();
  elapse(sim, 5);
  assert.equal(sim.runsStarted.length, 1);
  assert.equal(sim.job.status?.lastRun?.result, 'Succeeded');
});

test('the progress of a worker of before the count of its activity is understood', () => {
  const sim = running();
  const { activity: _, ...old } = sim.progress ?? {};
  assert.ok(parseVectorizeProgress(JSON.stringify(old)));
});
