import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANNOTATIONS, type DomainLibrarySpec } from '../../src/api/index.ts';
import { accepting, filled, to } from './moving.ts';
import type { Sim } from './sim.ts';

const SECOND = 1000;
const onDemand = { generations: { keep: 0, reverseSyncSeconds: 0 } };

/** A library that has moved from main to cloud, where ten points serve. */
function moved(spec: Partial<DomainLibrarySpec> = {}) {
  const { sim, cloud } = filled(spec);
  sim.edit(to('cloud'));
  sim.settle(20);
  assert.equal(sim.library.status?.change, undefined);
  assert.equal(sim.library.status?.cluster, 'cloud');
  return { sim, cloud, left: () => sim.collections.get('docs--g1') };
}

const entry = (sim: Sim) => sim.library.status?.generations?.find(({ number }) => number === 1);
const later = (sim: Sim, seconds: number, rounds = 8): void => {
  sim.now += seconds * SECOND;
  sim.settle(rounds, () => assert.deepEqual(accepting(sim), ['cloud'], 'one place accepts writes'));
};
const allow = (sim: Sim, name: string): void => sim.annotate(ANNOTATIONS.disablePredicates, name);

test('what a move has left is compared once, then brought in step again and again, and bears no name', () => {
  const { sim, left } = moved();
  assert.equal(sim.condition('ReverseSync')?.reason, 'NotYet');
  assert.equal(sim.reverse.runs.length, 0);
  sim.write(50, 'written on cloud');
  sim.write(1, 'changed on cloud');
  sim.write(3, undefined);
  later(sim, 300);
  assert.deepEqual(
    sim.reverse.runs.map(({ write }) => write),
    [false, true],
  );
  assert.equal(left()?.points.get(50), 'written on cloud');
  assert.equal(left()?.points.get(1), 'changed on cloud');
  assert.equal(left()?.points.has(3), false);
  assert.equal(sim.condition('ReverseSync')?.status, 'True');
  assert.deepEqual([entry(sim)?.comparison?.written, entry(sim)?.comparison?.removed], [2, 1]);
  assert.equal(sim.aliases.size, 0);
  assert.equal(sim.reverse.objects, false, 'its tools are put away');
  sim.write(51, 'written later');
  later(sim, 290, 2);
  assert.equal(sim.reverse.runs.length, 2);
  later(sim, 10);
  assert.equal(left()?.points.get(51), 'written later');
});

test('the way back after that brings over what is left of it, and loses nothing', () => {
  const { sim } = moved();
  sim.write(50, 'written on cloud');
  later(sim, 300);
  sim.write(51, 'the last write');
  sim.edit(to('main'));
  sim.settle(60, () => assert.ok(accepting(sim).length <= 1));
  assert.equal(sim.library.status?.cluster, 'main');
  assert.equal(sim.active?.points.get(50), 'written on cloud');
  assert.equal(sim.active?.points.get(51), 'the last write');
});

test('a long comparison rests twenty times as long', () => {
  const { sim } = moved();
  later(sim, 300);
  const { comparison } = entry(sim) ?? {};
  assert.ok(comparison !== undefined);
  comparison.milliseconds = 60_000;
  const runs = sim.reverse.runs.length;
  later(sim, 1100, 3);
  assert.equal(sim.reverse.runs.length, runs);
  later(sim, 100);
  assert.equal(sim.reverse.runs.length, runs + 1);
});

test('an order to move back ends the worker before anything else is begun on what was left', () => {
  const { sim } = moved();
  sim.now += 300 * SECOND;
  for (let round = 0; round < 10 && sim.reverse.jobs.length === 0; round += 1) sim.pass();
  assert.equal(sim.reverse.jobs[0]?.alive, true);
  sim.edit(to('main'));
  sim.pass();
  assert.deepEqual(sim.reverse.jobs, []);
  assert.equal(sim.library.status?.change, undefined);
  sim.settle(60);
  assert.equal(sim.library.status?.cluster, 'main');
  assert.ok(sim.library.status?.generations?.every(({ comparing }) => comparing === undefined));
});

test('switched off: nothing is kept in step, and before the drop both are compared', () => {
  const { sim } = moved(onDemand);
  sim.write(50, 'written on cloud');
  sim.settle(5);
  assert.equal(sim.condition('ReverseSync'), undefined);
  assert.equal(sim.reverse.runs.length, 0);
  later(sim, 300);
  assert.deepEqual(
    sim.reverse.runs.map(({ write }) => write),
    [false],
  );
  assert.deepEqual(
    sim.dropped.map(({ name }) => name),
    ['docs--g1'],
  );
  assert.equal(sim.condition('DropBlocked'), undefined);
  assert.equal(sim.reverse.objects, false);
});

test('no predicate alone drops what was left before it was compared anew', () => {
  const { sim } = moved(onDemand);
  sim.reverse.failing = true;
  later(sim, 300, 20);
  assert.deepEqual(sim.dropped, []);
  assert.equal(sim.condition('ReverseSync')?.reason, 'ReverseSyncFailing');
  assert.match(sim.condition('DropBlocked')?.message ?? '', /compared-anew/);
  sim.reverse.failing = false;
  later(sim, 600);
  assert.equal(sim.dropped.length, 1);
});

type Damage = {
  readonly what: string;
  readonly spec: Partial<DomainLibrarySpec>;
  readonly make: (sim: Sim, points: Map<number, string>) => void;
  readonly mend?: (sim: Sim) => void;
  readonly predicate: string;
};

const lose = (many: number) => (_sim: Sim, points: Map<number, string>) => {
  for (const id of [...points.keys()].slice(0, many)) points.delete(id);
};

const DAMAGES: readonly Damage[] = [
  { what: 'a fifth of the points lost', spec: onDemand, make: lose(2), predicate: 'successor-holds-what-was-left' },
  { what: 'all points but one lost', spec: onDemand, make: lose(9), predicate: 'successor-holds-what-was-left' },
  {
    what: 'a fifth of the points lost, while it is kept in step',
    spec: { generations: { keep: 0 } },
    make: lose(2),
    predicate: 'successor-holds-what-was-left',
  },
  {
    what: 'a replica that is not Active',
    spec: onDemand,
    make: (sim) => {
      sim.at('cloud').recovering = 'docs--g2';
    },
    mend: (sim) => {
      sim.at('cloud').recovering = undefined;
    },
    predicate: 'successor-every-replica-active',
  },
];

for (const { what, spec, make, mend, predicate } of DAMAGES) {
  test(`${what} between switch and drop: the source is kept, and a condition says why`, () => {
    const { sim, cloud, left } = moved(spec);
    make(sim, cloud.collections.get('docs--g2')?.points ?? new Map());
    later(sim, 300, 12);
    later(sim, 3600, 12);
    assert.deepEqual(sim.dropped, []);
    assert.equal(left()?.points.size, 10, 'nothing is taken out of what was left');
    assert.equal(sim.condition('DropBlocked')?.status, 'True');
    assert.match(sim.condition('DropBlocked')?.message ?? '', new RegExp(predicate));
    if (mend === undefined) allow(sim, predicate);
    else mend(sim);
    later(sim, 3600, 12);
    assert.deepEqual(
      sim.dropped.map(({ name }) => name),
      ['docs--g1'],
    );
    assert.equal(sim.condition('DropBlocked'), undefined);
  });
}

test('points that are lost after the comparison and before the drop are seen by their number', () => {
  const { sim, cloud } = moved({ generations: { keep: 0 } });
  later(sim, 290, 1);
  sim.now += 10 * SECOND;
  // Compared and in step, and not dropped yet: the time of retirement is not over.
  const until = { ...entry(sim), keepUntil: new Date(sim.now + 60 * SECOND).toISOString() };
  Object.assign(entry(sim) ?? {}, until);
  sim.settle(8);
  assert.ok(entry(sim)?.comparison?.syncedAt !== undefined);
  const points = cloud.collections.get('docs--g2')?.points;
  for (const id of [...(points?.keys() ?? [])].slice(0, 4)) points?.delete(id);
  sim.now += 60 * SECOND;
  sim.pass();
  assert.deepEqual(sim.dropped, []);
  assert.match(sim.condition('DropBlocked')?.message ?? '', /successor-still-as-compared/);
});

test('what was written to it after it was left is neither undone nor dropped', () => {
  const { sim, left } = moved({ generations: { keep: 0 } });
  left()?.points.set(77, 'by its own name');
  later(sim, 300);
  assert.equal(sim.condition('ReverseSync')?.reason, 'LateWrites');
  later(sim, 3600);
  assert.equal(left()?.points.get(77), 'by its own name');
  assert.ok(sim.reverse.runs.every(({ write }) => !write));
  assert.match(sim.condition('DropBlocked')?.message ?? '', /source-unchanged/);
});

for (const [lateWrites, reason] of [
  ['Kept', /in docs--g1 only/],
  ['Unknown', /nobody knows/],
] as const) {
  test(`late writes that are ${lateWrites}: it is neither brought in step nor dropped`, () => {
    const { sim, left } = moved({ generations: { keep: 0 } });
    Object.assign(entry(sim) ?? {}, { lateWrites });
    later(sim, 300);
    assert.ok(sim.reverse.runs.every(({ write }) => !write));
    assert.equal(left()?.points.size, 10);
    assert.match(sim.condition('DropBlocked')?.message ?? '', reason);
  });
}

test('what a worker that was killed has left open is closed again', () => {
  const { sim, left } = moved();
  const strictMode = () => left()?.info.config.strict_mode_config;
  assert.equal(strictMode()?.enabled, true);
  Object.assign(strictMode() ?? {}, { enabled: false, write_rate_limit: 1_000_000_000 });
  sim.settle(3);
  assert.deepEqual([strictMode()?.enabled, strictMode()?.write_rate_limit], [true, 1]);
});

test('a suspended or deleted library ends the worker', () => {
  for (const end of ['suspend', 'delete'] as const) {
    const { sim } = moved();
    sim.now += 300 * SECOND;
    for (let round = 0; round < 10 && sim.reverse.jobs.length === 0; round += 1) sim.pass();
    assert.equal(sim.reverse.jobs[0]?.alive, true);
    if (end === 'suspend') sim.edit({ suspend: true });
    else sim.library.metadata.deletionTimestamp = '2026-03-01T00:00:00Z';
    sim.pass();
    assert.deepEqual(sim.reverse.jobs, []);
  }
});
