import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import type { DomainLibrarySpec, DomainLibraryStatus } from '../../../src/api/index.ts';
import { ANNOTATIONS } from '../../../src/api/index.ts';
import { place } from '../../../src/library/decide/placement.ts';
import { decide } from '../../../src/library/decide.ts';
import { LibraryMetrics } from '../../../src/library/metrics.ts';
import type { Plan } from '../../../src/library/plan.ts';
import { statusOf } from '../../../src/library/report.ts';
import { attemptsOf } from '../../../src/library/snapshots/decide/attempts.ts';
import { parseManifest } from '../../../src/library/snapshots/manifest.ts';
import { SNAPSHOT_TASK } from '../../../src/library/snapshots/names.ts';
import type { SnapshotOrder } from '../../../src/library/snapshots/orders.ts';
import { freshProgress, type TaskProgress } from '../../../src/library/snapshots/task-progress.ts';
import type { KeptSnapshot, SnapshotWorld } from '../../../src/library/snapshots/world.ts';
import type { TaskJob, World } from '../../../src/library/world.ts';

import { library, NO_SNAPSHOTS } from '../given.ts';
import { filled, to } from '../moving.ts';
import { Sim } from '../sim.ts';
import { manifest } from './given.ts';

/** A library that serves, with what is known of snapshots; a test changes what it is about. */
function settled(spec: Partial<DomainLibrarySpec> = {}): Sim {
  const sim = new Sim(library());
  sim.settle();
  sim.edit(spec);
  return sim;
}

type Known = Partial<SnapshotWorld> & { readonly tasks?: readonly TaskJob[] };

const worldOf = (sim: Sim, { tasks = [], ...known }: Known = {}): World => ({
  ...sim.world(),
  tasks,
  snapshots: { ...NO_SNAPSHOTS, ...known },
});

const orders = ({ steps }: Plan): SnapshotOrder[] =>
  steps.flatMap((step) => (step.kind === 'snapshot' ? [step.order] : []));

/** What the pass leaves in the status. */
function report(sim: Sim, world: World, plan: Plan): DomainLibraryStatus {
  const placed = place(world.library, [sim.cluster]);
  return statusOf({ world, placed, plan, notes: [], failure: undefined, invalid: [], bound: false });
}

function pass(sim: Sim, known: Known = {}): Plan {
  const world = worldOf(sim, known);
  const plan = decide(world);
  sim.library = { ...sim.library, status: JSON.parse(JSON.stringify(report(sim, world, plan))) };
  return plan;
}

const holder = { id: 'w', pod: 'w', beat: 0, released: true };
const said = (change: Partial<TaskProgress> = {}): TaskProgress => ({ ...freshProgress('c', holder), ...change });
const kept = (change: Partial<KeptSnapshot> = {}): KeptSnapshot => ({
  name: 'docs-20260131t000000z',
  begunAt: 0,
  nonce: undefined,
  scheduledFor: undefined,
  progress: said({ phase: 'Done', manifest: manifest() }),
  ...change,
});

test('an annotation is obeyed once per value, though the operator is killed before it could say so', () => {
  const sim = settled();
  sim.annotate(ANNOTATIONS.snapshot, 'one');
  const [first] = orders(decide(worldOf(sim)));
  assert.ok(first?.do === 'begin' && first.nonce === 'one');
  // Killed before the status was written: the ConfigMap bears the value.
  const made = kept({ name: first.name, nonce: 'one' });
  const plan = pass(sim, { kept: [made] });
  assert.deepEqual(orders(plan), []);
  assert.equal(sim.library.status?.lastHandled?.['snapshot'], 'one');
  // The snapshot may be dropped later: the value stays obeyed.
  assert.deepEqual(orders(pass(sim)), []);
  sim.annotate(ANNOTATIONS.snapshot, 'two');
  assert.equal(orders(pass(sim))[0]?.do, 'begin');
});

test('a schedule is obeyed from when it is seen first; what was missed is made up for once', () => {
  const sim = settled({ snapshots: { schedule: '0 * * * *' } });
  const first = pass(sim);
  assert.deepEqual(orders(first), []);
  assert.equal(sim.library.status?.snapshots?.scheduledAt, new Date(sim.now).toISOString().replace('.000', ''));
  const waiting = pass(sim);
  assert.ok((waiting.again ?? 0) > 0 && (waiting.again ?? 0) <= 3600);
  sim.now += 5 * 3_600_000;
  const [due] = orders(decide(worldOf(sim)));
  assert.ok(due?.do === 'begin' && due.scheduledFor === sim.now);
  // Killed before the status was written: what exists says for which moment it is.
  assert.deepEqual(orders(pass(sim, { kept: [kept({ name: due.name, scheduledFor: sim.now })] })), []);
  assert.equal(orders(pass(sim))[0]?.do, 'begin');
  assert.deepEqual(orders(pass(sim)), [], 'the status tells it by now');
});

test('one at a time: what is pending is tried again after growing delay, and named while it fails', () => {
  const sim = settled();
  sim.annotate(ANNOTATIONS.snapshot, 'two');
  const failure = { reason: 'BucketDenied', message: 'no', lasting: false };
  const pending = kept({ nonce: 'one', progress: said({ failure }) });
  const [make] = orders(pass(sim, { kept: [pending] }));
  assert.ok(make?.do === 'make' && make.attempt === 1 && make.name === pending.name);
  const job = (attempt: number, seconds: number): TaskJob => ({
    name: `docs-s${(Date.UTC(2026, 0, 31) / 1000).toString(36)}-a${attempt}`,
    task: SNAPSHOT_TASK,
    attempt,
    state: 'failed',
    alive: false,
    endedAt: sim.now - seconds * 1000,
  });
  const early = pass(sim, { kept: [pending], tasks: [job(2, 4)] });
  assert.deepEqual(orders(early), []);
  assert.equal(early.again, 6);
  assert.deepEqual(
    early.notes?.map(({ type, reason }) => [type, reason]),
    [['SnapshotFailing', 'BucketDenied']],
  );
  const later = orders(pass(sim, { kept: [pending], tasks: [job(1, 90), job(2, 60)] }))[0];
  assert.ok(later?.do === 'make' && later.attempt === 3);
  assert.equal(sim.library.status?.snapshots?.running?.name, pending.name);
});

test('attempts are counted by time, for the number in a name begins anew', () => {
  const job = (attempt: number, endedAt: number): TaskJob => ({
    name: `x-a${attempt}`,
    task: SNAPSHOT_TASK,
    attempt,
    state: 'failed',
    alive: false,
    endedAt,
  });
  assert.deepEqual(attemptsOf([], 0), { kind: 'start', attempt: 1 });
  assert.deepEqual(attemptsOf([job(99, 0), job(0, 600_000)], 605_000), { kind: 'start', attempt: 1 });
  assert.deepEqual(attemptsOf([job(3, 0)], 10_000), { kind: 'later', seconds: 10, failed: 3 });
  const alive: TaskJob = { name: 'x-a4', task: SNAPSHOT_TASK, attempt: 4, state: 'failed', alive: true, endedAt: 0 };
  assert.deepEqual(attemptsOf([job(3, 0), alive], 10_000_000), { kind: 'running' });
});

test('a rollback to a generation points the name there, lets writes go, and is obeyed once', () => {
  const sim = settled({ shards: { number: 2 } });
  sim.settle();
  assert.equal(sim.library.status?.generation, 2);
  // With the shape that it had, else one more generation follows.
  sim.edit({ rollback: { toGeneration: 1 }, shards: { number: 1 } });
  const kinds: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const world = worldOf(sim);
    const plan = decide(world);
    for (const step of plan.steps) {
      kinds.push(step.kind);
      if (step.kind === 'pointAliases') sim.aliases.set('docs', step.collection);
    }
    sim.library = { ...sim.library, status: JSON.parse(JSON.stringify(report(sim, world, plan))) };
    sim.now += 1000;
    if (sim.library.status?.rollback?.state === 'Done') break;
    if (kinds.includes('unfence')) sim.pass();
  }
  assert.ok(kinds.includes('pointAliases'), kinds.join());
  const { rollback, generations } = sim.library.status ?? {};
  assert.deepEqual([rollback?.target, rollback?.state, rollback?.from, rollback?.to], ['generation 1', 'Done', 2, 1]);
  assert.ok((rollback?.milliseconds ?? 0) > 0);
  assert.deepEqual(
    generations?.map(({ number, state }) => [number, state]),
    [
      [1, 'Active'],
      [2, 'Retired'],
    ],
  );
  const told = sim.library.status;
  pass(sim);
  assert.deepEqual(sim.library.status?.rollback, told?.rollback, 'the value is obeyed');
});

test('what can never be done is refused by name at once, and what is live stays', () => {
  for (const [rollback, reason] of [
    [{ toSnapshot: 'docs-20200101t000000z' }, 'SnapshotNotFound'],
    [{ toGeneration: 9 }, 'GenerationNotFound'],
    [{ toGeneration: 1 }, 'GenerationActive'],
  ] as const) {
    const sim = settled({ rollback });
    const plan = pass(sim);
    assert.deepEqual(plan.steps, []);
    const { state, message } = sim.library.status?.rollback ?? {};
    assert.equal(state, 'Failed');
    assert.ok(message?.startsWith(reason), message);
    assert.equal(sim.aliases.get('docs'), 'docs--g1');
  }
  const elsewhere = settled({ rollback: { toSnapshot: manifest().name } });
  pass(elsewhere, { kept: [kept({ progress: said({ phase: 'Done', manifest: manifest({ cluster: 'other' }) }) })] });
  assert.ok(elsewhere.library.status?.rollback?.message?.startsWith('OtherCluster'));
});

test('a rollback waits for a change that runs and for a snapshot that is made, and says so', () => {
  const sim = settled({ rollback: { toSnapshot: manifest().name } });
  const alive: TaskJob = { name: 'docs-s1-a1', task: SNAPSHOT_TASK, attempt: 1, state: 'running', alive: true };
  const plan = pass(sim, { kept: [kept()], tasks: [alive] });
  assert.deepEqual(
    plan.blockedBy?.map(({ name }) => name),
    ['no-snapshot-runs'],
  );
  assert.equal(plan.notes?.find(({ type }) => type === 'RollbackBlocked')?.reason, 'PredicatesRefuse');
  assert.equal(sim.library.status?.rollback, undefined);
  // Then it begins: written down first, before anything is made.
  const begun = pass(sim, { kept: [kept()] });
  assert.deepEqual(begun.steps, []);
  assert.deepEqual(
    sim.library.status?.generations?.map(({ number, state }) => [number, state]),
    [
      [1, 'Active'],
      [2, 'Building'],
    ],
  );
  const [order] = orders(pass(sim, { kept: [kept()] }));
  assert.ok(order?.do === 'restore' && order.generation === 2);
});

test('a rollback that is taken back is given up: its generation is marked to be dropped', () => {
  const sim = settled({ rollback: { toSnapshot: manifest().name } });
  pass(sim, { kept: [kept()] });
  const { rollback: _rollback, ...spec } = sim.library.spec;
  sim.library = { ...sim.library, spec };
  pass(sim, { kept: [kept()] });
  assert.equal(sim.library.status?.rollback?.state, 'Failed');
  assert.equal(sim.library.status?.generations?.find(({ number }) => number === 2)?.state, 'Failed');
});

test('what is no manifest is none', () => {
  assert.deepEqual(parseManifest(JSON.stringify(manifest())), manifest());
  for (const text of [undefined, '', '{', '{}', JSON.stringify({ ...manifest(), version: 2 })]) {
    assert.equal(parseManifest(text), undefined);
  }
});

test('a schedule that nobody can read is named, and the rest of the library goes on', () => {
  const sim = settled({ snapshots: { schedule: '99 * * * *' } });
  const plan = pass(sim);
  assert.deepEqual(
    plan.notes?.map(({ type, reason }) => [type, reason]),
    [['SnapshotFailing', 'InvalidSpec']],
  );
  assert.equal(sim.condition('Ready')?.status, 'True');
  sim.annotate(ANNOTATIONS.snapshot, 'one');
  assert.equal(orders(pass(sim))[0]?.do, 'begin', 'on demand it is made all the same');
});

const snapshotJob = (change: Partial<TaskJob> = {}): TaskJob => ({
  name: 'docs-sabc-a1',
  task: SNAPSHOT_TASK,
  attempt: 1,
  state: 'running',
  alive: true,
  ...change,
});

test('no snapshot is made of shards that a move sends as snapshots, and no such move begins while one is made', () => {
  const { sim } = filled({ snapshots: { schedule: '0 0 1 1 *' } });
  sim.settle();
  sim.moveRules = { engine: 'ShardSnapshot' };
  sim.edit(to('cloud'));
  const moved = (tasks: readonly TaskJob[]): Plan => decide(worldOf(sim, { tasks }));
  const held = moved([snapshotJob()]);
  assert.equal(held.status?.change, undefined);
  assert.deepEqual(
    held.blockedBy?.map(({ name }) => name),
    ['no-snapshot-runs'],
  );
  assert.equal(
    held.notes?.some(({ type }) => type === 'MoveBlocked'),
    true,
  );
  assert.equal(moved([snapshotJob({ alive: false, state: 'failed' })]).status?.change?.engine, 'ShardSnapshot');

  sim.pass();
  sim.annotate(ANNOTATIONS.snapshot, 'now');
  for (let round = 0; round < 40 && sim.library.status?.change?.step !== 'Converging'; round += 1) {
    const plan = decide(worldOf(sim));
    assert.deepEqual(orders(plan), [], sim.library.status?.change?.step);
    sim.work();
    sim.pass();
    sim.now += 1000;
  }
  const refused = decide(worldOf(sim)).notes?.find(({ type }) => type === 'SnapshotFailing');
  assert.match(refused?.message ?? '', /no-move-makes-snapshots: the move to cloud/);
  // What travels point by point leaves the shards alone.
  sim.moveRules = undefined;
  const { status } = sim.library;
  assert.ok(status?.change !== undefined);
  sim.library = { ...sim.library, status: { ...status, change: { ...status.change, engine: 'Scroll' } } };
  assert.equal(orders(decide(worldOf(sim)))[0]?.do, 'begin');
});

const HOUR = 3_600_000;
const agedBy = (sim: Sim, hours: number): KeptSnapshot => {
  const name = `docs-${hours}`;
  const createdAt = new Date(sim.now - hours * HOUR).toISOString();
  return kept({
    name,
    progress: said({ phase: 'Done', manifest: manifest({ name, createdAt, startedAt: createdAt }) }),
  });
};
const tidyJob = (change: Partial<TaskJob> = {}): TaskJob => snapshotJob({ name: 'docs-tidy-a1', ...change });

test('what crosses its age goes by itself, with nothing else to do, and the newest stays', () => {
  const sim = settled({ snapshots: { keepLast: 7, maxAgeHours: 24 } });
  const all = [agedBy(sim, 2), agedBy(sim, 23), agedBy(sim, 23.5)];
  const before = pass(sim, { kept: all });
  assert.deepEqual(orders(before), []);
  assert.equal(before.again, 0.5 * 3600, 'looked at again when the oldest crosses its age');
  sim.now += 0.75 * HOUR;
  const [tidy] = orders(pass(sim, { kept: all }));
  assert.ok(tidy?.do === 'tidy');
  assert.deepEqual(
    tidy.drop.map(({ name, parts }) => [name, parts?.length]),
    [['docs-23.5', 1]],
  );
  // While its Job runs nothing else begins; what it has dropped is forgotten, then its tools are put away.
  sim.annotate(ANNOTATIONS.snapshot, 'now');
  const tidying = { progress: said({ phase: 'Done', dropped: ['docs-23.5'] }) };
  assert.deepEqual(orders(pass(sim, { kept: all, tidying: { progress: undefined }, tasks: [tidyJob()] })), []);
  const forget = pass(sim, { kept: all, tidying });
  assert.deepEqual(orders(forget), [{ do: 'forget', names: ['docs-23.5'] }]);
  assert.deepEqual(
    forget.events?.map(({ reason }) => reason),
    ['SnapshotDropped'],
  );
  const left = all.slice(0, 2);
  assert.deepEqual(orders(pass(sim, { kept: left, tidying })), [{ do: 'putAway', snapshots: ['tidy'], restores: [] }]);
  assert.equal(orders(pass(sim, { kept: left }))[0]?.do, 'begin');
  sim.now += 1000 * HOUR;
  assert.deepEqual(orders(pass(settledLike(sim), { kept: [agedBy(sim, 900)] })), []);
});

const settledLike = (sim: Sim): Sim => {
  sim.annotate(ANNOTATIONS.snapshot, sim.library.status?.lastHandled?.['snapshot'] ?? '');
  return sim;
};

test('a retention that fails is named, tried again after growing delay, and holds up no snapshot', () => {
  const sim = settled({ snapshots: { keepLast: 1 } });
  const all = [agedBy(sim, 1), agedBy(sim, 2)];
  const failure = { reason: 'BucketDenied', message: 'no', lasting: false };
  const failed = [tidyJob({ alive: false, state: 'failed', endedAt: sim.now - 1000 })];
  const known = { kept: all, tidying: { progress: said({ failure }) }, tasks: failed };
  const plan = pass(sim, known);
  assert.deepEqual(orders(plan), []);
  assert.equal(plan.again, 4);
  assert.match(plan.notes?.[0]?.message ?? '', /not dropped yet: no/);
  sim.annotate(ANNOTATIONS.snapshot, 'now');
  assert.equal(orders(pass(sim, known))[0]?.do, 'begin');
});

test('without spec.snapshots nothing that was made on demand is dropped by itself', () => {
  const sim = settled();
  assert.deepEqual(orders(pass(sim, { kept: Array.from({ length: 9 }, (_, at) => agedBy(sim, at + 1)) })), []);
});

test('a moment of the schedule that was missed is named, one that is only just over is not', () => {
  for (const [hours, reasons] of [
    [5, ['SnapshotLate']],
    [1, []],
  ] as const) {
    const sim = settled({ snapshots: { schedule: '0 * * * *' } });
    pass(sim);
    const next = Date.parse(sim.library.status?.snapshots?.nextAt ?? '');
    sim.now = next + (hours - 1) * HOUR + 1000;
    const plan = decide(worldOf(sim));
    assert.equal(orders(plan)[0]?.do, 'begin');
    assert.deepEqual(
      plan.events?.map(({ reason }) => reason),
      reasons,
    );
  }
});

test('metrics tell when the newest was made, and by when the next must be, though attempts fail', async () => {
  const sim = settled({ snapshots: { schedule: '0 * * * *' } });
  const registry = new Registry();
  const metrics = new LibraryMetrics(registry);
  const told = async (name: string) =>
    ((await registry.getSingleMetric(`qdrant_librarian_snapshot_${name}_seconds`)?.get())?.values ?? []).map(
      ({ value, labels }) => [labels['namespace'], labels['name'], value],
    );
  pass(sim);
  metrics.snapshots(worldOf(sim));
  assert.deepEqual(await told('timestamp'), []);
  const first = Date.parse(sim.library.status?.snapshots?.nextAt ?? '') / 1000;
  assert.deepEqual(await told('due_timestamp'), [['team', 'docs', first]]);
  const newest = agedBy(sim, 3);
  const made = sim.now / 1000 - 3 * 3600;
  metrics.snapshots(worldOf(sim, { kept: [newest, kept({ name: 'failing', progress: said(), begunAt: sim.now })] }));
  assert.deepEqual(await told('timestamp'), [['team', 'docs', made]]);
  const [[, , due] = []] = await told('due_timestamp');
  assert.ok(typeof due === 'number' && due > made && due <= made + 3600, 'it stays in the past');
  metrics.forgetSnapshots({ namespace: 'team', name: 'docs' });
  assert.deepEqual([await told('timestamp'), await told('due_timestamp')], [[], []]);
});
