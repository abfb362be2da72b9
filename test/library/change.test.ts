import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ANNOTATIONS, type DomainLibrarySpec } from '../../src/api/index.ts';
import { overruledBy } from '../../src/library/decide.ts';
import { parseMark } from '../../src/migration/fence.ts';
import { Crash, library, ready, Sim } from './sim.ts';

/** A library that is ready and holds ten points. */
function filled(spec: Partial<DomainLibrarySpec> = {}): Sim {
  const sim = new Sim(library(spec));
  sim.settle(10);
  for (let id = 0; id < 10; id += 1) assert.ok(sim.write(id, `first ${id}`));
  return sim;
}

const stepsSeen = (sim: Sim, rounds: number): string[] => {
  const seen: string[] = [];
  sim.settle(rounds, () => {
    const step = sim.library.status?.change?.step ?? '-';
    if (seen.at(-1) !== step) seen.push(step);
  });
  return seen;
};

test('a process that has just begun, and knows no size of vectors yet, leaves the one in the status', () => {
  const sim = new Sim(library());
  sim.settle(10);
  assert.ok(sim.library.status !== undefined);
  sim.library.status.vectorsBytes = 4200;
  sim.pass();
  assert.equal(sim.library.status?.vectorsBytes, 4200);
});

test('makes the first generation, waits until it is readable, then gives it the name', () => {
  const sim = new Sim(library());
  sim.settle(10);
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
  assert.equal(sim.condition('Ready')?.status, 'True');
  assert.equal(sim.condition('Reconciling'), undefined);
  assert.equal(sim.library.status?.generation, 1);
  assert.equal(sim.library.status?.collection, 'docs--g1');
  assert.deepEqual(
    sim.library.status?.generations?.map(({ state }) => state),
    ['Active'],
  );
  assert.equal(sim.library.status?.observedGeneration, 1);
});

test('a change that Qdrant can not do in place goes through all steps and keeps the old generation, fenced', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  assert.deepEqual(stepsSeen(sim, 40), [
    '-',
    'Building',
    'Copying',
    'Converging',
    'Fenced',
    'Verified',
    'Switched',
    '-',
  ]);
  assert.equal(sim.aliases.get('docs'), 'docs--g2');
  assert.equal(sim.collections.get('docs--g2')?.info.config.params.shard_number, 3);
  assert.equal(sim.collections.get('docs--g2')?.points.size, 10);
  assert.deepEqual(
    sim.library.status?.generations?.map(({ number, state }) => [number, state]),
    [
      [1, 'Retired'],
      [2, 'Active'],
    ],
  );
  assert.equal(sim.collections.get('docs--g1')?.info.config.strict_mode_config?.write_rate_limit, 1);
  assert.ok(sim.write(11, 'after'));
  assert.equal(sim.jobs.length, 0);
  assert.equal(sim.library.status?.change, undefined);
  assert.ok(sim.events.includes('GenerationChanged'));
  assert.equal(sim.condition('Ready')?.status, 'True');
});

test('writes are not held back for a worker that says nothing: its successor has to wait for its lease', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  while (sim.library.status?.change?.step !== 'Converging') {
    sim.work();
    sim.pass();
  }
  for (let second = 0; second < 20; second += 1) {
    sim.now += 1000;
    sim.pass();
  }
  assert.equal(sim.library.status?.change?.step, 'Converging');
  assert.ok(sim.library.status?.change?.blockedBy?.some(({ name }) => name === 'worker-is-at-work'));
  sim.settle(10);
  assert.equal(sim.library.status?.generation, 2);
});

test('nothing is done in a world that is as wanted', () => {
  const sim = filled({
    payloadIndexes: [{ field: 'lang', type: 'keyword' }],
    aliases: ['manual'],
    strictMode: { maxQueryLimit: 5 },
  });
  sim.settle(5);
  const before = JSON.stringify(sim.library.status);
  const done = sim.steps.length;
  sim.settle(10);
  assert.equal(sim.steps.length, done);
  assert.equal(JSON.stringify(sim.library.status), before);
});

/** Runs a change while the operator is killed at the given moments, counted over all passes. */
function runKilled(sim: Sim, kills: readonly number[], rounds = 80): { moments: number; model: Map<number, string> } {
  const model = new Map(sim.active?.points ?? []);
  let moments = 0;
  for (let round = 0; round < rounds; round += 1) {
    const id = round % 13;
    const text = round % 5 === 0 ? undefined : `write ${round}`;
    if (sim.write(id, text)) {
      if (text === undefined) model.delete(id);
      else model.set(id, text);
    }
    sim.work();
    try {
      sim.pass((_where) => {
        moments += 1;
        if (kills.includes(moments)) throw new Crash();
      });
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      sim.memory = new (sim.memory.constructor as new () => Sim['memory'])();
      sim.now += 5000;
    }
    sim.now += 1000;
  }
  return { moments, model };
}

function checkChanged(sim: Sim, model: Map<number, string>): void {
  assert.equal(sim.library.status?.change, undefined, 'the change is over');
  assert.equal(sim.aliases.get('docs'), `docs--g${sim.library.status?.generation}`);
  assert.deepEqual(Object.fromEntries(sim.active?.points ?? []), Object.fromEntries(model));
  assert.equal(sim.dropped.filter(({ wasActive, marked }) => wasActive || !marked).length, 0);
  assert.equal(parseMark(sim.active?.info.config.metadata)?.fence, undefined);
}

test('the operator killed at every moment of a change: it is finished, no acknowledged write is lost', () => {
  const reference = filled();
  reference.edit({ shards: { number: 3 } });
  const { moments, model } = runKilled(reference, []);
  checkChanged(reference, model);
  for (let kill = 1; kill <= Math.min(moments, 60); kill += 2) {
    const sim = filled();
    sim.edit({ shards: { number: 3 } });
    const result = runKilled(sim, [kill], 70);
    checkChanged(sim, result.model);
    assert.equal(sim.active?.info.config.params.shard_number, 3, `killed at moment ${kill}`);
  }
});

test('property: whatever is edited and whenever the operator dies, the last spec wins and nothing is lost', () => {
  const edit = fc.record({ at: fc.integer({ min: 1, max: 60 }), number: fc.integer({ min: 1, max: 4 }) });
  fc.assert(
    fc.property(
      fc.array(edit, { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 3 }),
      (edits, kills, failures) => {
        const sim = filled();
        const model = new Map(sim.active?.points ?? []);
        let moments = 0;
        let wanted = 1;
        for (let round = 0; round < 250; round += 1) {
          for (const { at, number } of edits) {
            if (at !== round) continue;
            sim.edit({ shards: { number } });
            wanted = number;
          }
          if (failures.includes(round)) sim.failJob();
          if (sim.write(round % 7, `write ${round}`)) model.set(round % 7, `write ${round}`);
          sim.work();
          try {
            sim.pass(() => {
              moments += 1;
              if (kills.includes(moments)) throw new Crash();
            });
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
          }
          sim.now += 1000;
        }
        checkChanged(sim, model);
        assert.equal(sim.active?.info.config.params.shard_number, wanted);
      },
    ),
    { numRuns: 15 },
  );
});

test('a spec that changes again gives up what was being built, and drops it last', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  sim.settle(4);
  assert.equal(sim.library.status?.change?.to, 2);
  sim.edit({ shards: { number: 4 } });
  sim.settle(40);
  assert.equal(sim.active?.info.config.params.shard_number, 4);
  assert.equal(sim.library.status?.generation, 3);
  assert.deepEqual(sim.dropped, [{ name: 'docs--g2', wasActive: false, marked: true }]);
  assert.deepEqual(
    sim.library.status?.generations?.map(({ number }) => number),
    [1, 3],
  );
});

test('a spec that is taken back under the fence lets writes go on', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  sim.settle(40, () => {
    if (sim.library.status?.change?.step === 'Fenced') sim.edit({ shards: { number: 1 } });
  });
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
  assert.ok(sim.write(1, 'again'));
  assert.equal(sim.library.status?.change, undefined);
});

test('a proof that does not come in time lifts the fence, and another attempt follows later', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  let fences = 0;
  let fenced = false;
  for (let round = 0; round < 200; round += 1) {
    const step = sim.library.status?.change?.step;
    if (step === 'Fenced' && !fenced) fences += 1;
    fenced = step === 'Fenced';
    if (step !== 'Fenced' || fences > 1) sim.work();
    sim.pass();
    sim.now += 1000;
  }
  assert.equal(fences, 2);
  assert.ok(sim.events.includes('FenceLifted'));
  assert.equal(sim.aliases.get('docs'), 'docs--g2');
});

test('a fence under which the worker gives up is lifted at once, with its reason', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  while (sim.library.status?.change?.step !== 'Fenced') {
    sim.work();
    sim.pass();
    sim.now += 1000;
  }
  assert.equal(sim.write(1, 'under the fence'), false);
  const nonce = parseMark(sim.active?.info.config.metadata)?.fence?.nonce;
  assert.ok(sim.progress !== undefined && nonce !== undefined);
  sim.progress = { ...sim.progress, gaveUp: { nonce, reason: 'FenceLeaks', message: '2 of 32 writes passed' } };
  sim.pass();
  assert.ok(sim.events.includes('FenceLeaks'));
  assert.equal(sim.write(1, 'after the fence'), true);
  assert.equal(sim.collections.get('docs--g1')?.info.config.params.write_consistency_factor, 1);
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
  assert.equal(sim.library.status?.change?.step, 'Converging');
});

test('no fence is set while a replica of the live collection is not Active', () => {
  const sim = filled();
  sim.recovering = 'docs--g1';
  sim.edit({ shards: { number: 3 } });
  sim.settle(40);
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
  assert.deepEqual(
    sim.library.status?.change?.blockedBy?.map(({ name }) => name),
    ['every-replica-active'],
  );
  sim.recovering = undefined;
  sim.settle(40);
  assert.equal(sim.aliases.get('docs'), 'docs--g2');
});

test('the copy is tried again with growing delay when its Job fails, and says why', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  sim.settle(4);
  sim.failJob('Unreachable');
  sim.pass();
  assert.match(sim.condition('Reconciling')?.message ?? '', /Unreachable: gone/);
  assert.equal(sim.condition('Ready')?.status, 'True');
  sim.settle(40);
  assert.ok(sim.events.includes('CopyRetried'));
  assert.equal(sim.aliases.get('docs'), 'docs--g2');
});

test('a copy that is given up leaves the library Ready, as of the spec that it serves, and Stalled says why', () => {
  const sim = filled();
  const served = sim.condition('Ready')?.observedGeneration;
  sim.edit({ shards: { number: 3 } });
  sim.settle(4);
  for (let attempt = 0; attempt < 10; attempt += 1) {
    sim.failJob('Unreachable');
    sim.now += 600_000;
    sim.pass();
  }
  sim.failJob('Unreachable');
  sim.pass();
  sim.pass();
  const ready = sim.condition('Ready');
  assert.deepEqual([ready?.status, ready?.reason, ready?.observedGeneration], ['True', 'Ready', served]);
  assert.deepEqual([sim.condition('Stalled')?.reason, sim.condition('Reconciling')], ['CopyFailed', undefined]);
  assert.match(sim.condition('Stalled')?.message ?? '', /failed 10 times: Unreachable: gone/);
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
});

test('a copy is not tried again while the pods refuse the key that its worker would read', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  sim.settle(4);
  sim.failJob('Unauthorized');
  const { status } = sim.cluster;
  const changed = { ...ready('True'), type: 'KeyChanged' };
  sim.cluster = { ...sim.cluster, status: { ...status, conditions: [ready('True'), changed] } };
  sim.settle(20);
  assert.match(sim.condition('Reconciling')?.message ?? '', /don't accept the key/);
  assert.equal(sim.condition('Ready')?.status, 'True');
  sim.cluster = { ...sim.cluster, ...(status === undefined ? {} : { status }) };
  sim.settle(40);
  assert.equal(sim.aliases.get('docs'), 'docs--g2');
});

test('refuses by name to begin a change that a copy can not carry', () => {
  const sim = filled();
  sim.active?.points.set(1, 'x');
  const active = sim.active;
  if (active !== undefined) active.info = { ...active.info, points_count: 10 };
  sim.edit({ vectors: [{ name: '', size: 4, distance: 'Cosine' }] });
  const plan = sim.settle(5);
  assert.deepEqual(
    plan.blockedBy?.map(({ name }) => name),
    ['vectors-can-be-copied'],
  );
  assert.equal(sim.condition('ChangeBlocked')?.status, 'True');
  assert.equal(sim.condition('Ready')?.status, 'True');
  assert.equal(sim.library.status?.change, undefined);
  assert.deepEqual(overruledBy(sim.world()), []);
  sim.annotate(ANNOTATIONS.disablePredicates, 'vectors-can-be-copied, digests-agree');
  assert.deepEqual(
    overruledBy(sim.world()).map(({ name }) => name),
    ['vectors-can-be-copied'],
  );
  sim.settle(40);
  assert.deepEqual(overruledBy(sim.world()), []);
  assert.equal(sim.aliases.get('docs'), 'docs--g2');
  assert.equal(sim.condition('ChangeBlocked'), undefined);
});

test('a retired generation beyond keep is dropped only after a while, and only while its successor is proved', () => {
  const sim = filled({ generations: { keep: 0 } });
  sim.edit({ shards: { number: 3 } });
  sim.settle(60);
  assert.ok(sim.collections.has('docs--g1'));
  sim.now += 300_000;
  sim.settle(3);
  assert.deepEqual(
    sim.dropped.map(({ name }) => name),
    ['docs--g1'],
  );
  assert.deepEqual(
    sim.library.status?.generations?.map(({ number }) => number),
    [2],
  );
});

test('a name that someone points back after the switch is left there', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  sim.settle(40, () => {
    if (sim.library.status?.change?.step === 'Switched') {
      sim.aliases.set('docs', 'docs--g1');
      sim.edit({ shards: { number: 1 } });
    }
  });
  assert.equal(sim.aliases.get('docs'), 'docs--g1');
  assert.ok(sim.write(1, 'again'));
  assert.ok(sim.events.includes('SwitchedBack'));
});

test('suspended in the middle of a change: writes are let go, the worker ends, nothing else is done', () => {
  const sim = filled();
  sim.edit({ shards: { number: 3 } });
  sim.settle(40, () => {
    if (sim.library.status?.change?.step === 'Fenced') sim.edit({ suspend: true });
  });
  assert.ok(sim.write(1, 'goes on'));
  assert.equal(sim.jobs.length, 0);
  assert.equal(sim.condition('Suspended')?.status, 'True');
  sim.edit({ suspend: false });
  sim.settle(60);
  assert.equal(sim.aliases.get('docs'), 'docs--g2');
  assert.equal(sim.active?.points.get(1), 'goes on');
});
