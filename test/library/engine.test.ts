import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineOfMove, type MoveEngineSubject, workersEngine } from '../../src/library/decide/engine.ts';
import type { Observed } from '../../src/library/observed.ts';
import { shapeOf } from '../../src/library/shape.ts';
import { cluster, library } from './given.ts';
import { filled, to, until } from './moving.ts';

const from: Observed = {
  vectors: { '': { size: 3, distance: 'Cosine' } },
  sparse: {},
  shardNumber: 2,
  customSharding: false,
  params: { shard_number: 2, replication_factor: 1, on_disk_payload: true },
  hnsw: { m: 16, ef_construct: 100 },
  optimizers: { indexing_threshold: 10_000 },
  quantization: undefined,
  strictMode: {},
  indexes: { text: { type: 'keyword' } },
};
const docs = library({ vectors: [{ name: '', size: 3, distance: 'Cosine' }] });
const sized = (vectorsBytes: number) => ({ ...docs, status: { ...docs.status, vectorsBytes } });
const subject: MoveEngineSubject = {
  library: sized(1024),
  from,
  shape: shapeOf(docs.spec, undefined),
  target: cluster(),
  versions: { source: ['1.18.3'], target: ['1.18.3'] },
  vectorsBytes: 0,
  replicationFactor: 1,
  wish: undefined,
};
const reason = (change: Partial<MoveEngineSubject>): string => {
  const choice = engineOfMove({ ...subject, ...change });
  assert.equal(choice.kind === 'chosen' && choice.engine, 'Scroll', choice.reason);
  return choice.reason;
};

test('a library that changes nothing but its place moves by shard snapshots', () => {
  const choice = engineOfMove(subject);
  assert.equal(choice.kind === 'chosen' && choice.engine, 'ShardSnapshot', choice.reason);
});

test('one that changes its shape on the way is scrolled, and the field is named', () => {
  const shaped = (spec: Parameters<typeof library>[0]) => shapeOf(library(spec).spec, undefined);
  const vectors = [{ name: '', size: 3, distance: 'Cosine' as const }];
  assert.match(
    reason({ shape: shaped({ vectors: [{ name: '', size: 3, distance: 'Dot' }] }) }),
    /distance: "Cosine" -> "Dot"/,
  );
  assert.match(reason({ shape: shaped({ vectors, shards: { number: 3 } }) }), /shardNumber: 2 -> 3/);
  assert.match(reason({ shape: shaped({ vectors, hnsw: { m: 32 } }) }), /hnsw\.m: 16 -> 32/);
});

test('unknown or scarce room speaks against snapshots, a policy that asks for them by name is obeyed', () => {
  assert.match(reason({ library: docs }), /nobody knows yet how much room/);
  assert.match(reason({ library: sized(11 * 1024 ** 3) }), /disks of QdrantCluster main may be too small/);
  const external = cluster({ spec: { external: { url: 'https://cloud' } } });
  assert.match(reason({ target: external }), /doesn't tell how much room/);
  const asked = engineOfMove({ ...subject, target: external, wish: 'ShardSnapshot' });
  assert.equal(asked.kind === 'chosen' && asked.engine, 'ShardSnapshot', asked.reason);
});

test('what is asked for by name and is not possible is refused', () => {
  const refused = (change: Partial<MoveEngineSubject>): string => {
    const choice = engineOfMove({ ...subject, ...change });
    assert.equal(choice.kind, 'refused');
    return choice.reason;
  };
  assert.match(refused({ wish: 'DualWrite' }), /DualWrite.* is not built/);
  const versions = { source: ['1.18.3'], target: ['1.17.0'] };
  assert.match(refused({ wish: 'ShardSnapshot', versions }), /the target runs Qdrant 1\.17\.0/);
});

test('the worker is told what was chosen, and whether nothing else will do', () => {
  assert.deepEqual(workersEngine({ engine: 'ShardSnapshot', engineReason: 'r' }, undefined), { wish: 'Auto' });
  assert.deepEqual(workersEngine({ engine: 'Scroll', engineReason: 'r' }, 'Auto'), { wish: 'Scroll', reason: 'r' });
  assert.deepEqual(workersEngine({ engine: 'ShardSnapshot' }, 'ShardSnapshot'), { wish: 'ShardSnapshot' });
});

test('an engine that a policy asks for and that is not possible holds the move up, by name', () => {
  const { sim } = filled();
  sim.moveRules = { engine: 'DualWrite' };
  sim.edit(to('cloud'));
  sim.settle(5);
  assert.equal(sim.library.status?.change, undefined);
  assert.match(sim.condition('MoveBlocked')?.message ?? '', /engine-possible: .*DualWrite.* is not built/);
  sim.moveRules = { engine: 'Scroll' };
  sim.settle(60);
  assert.equal(sim.library.status?.cluster, 'cloud');
});

test('shard snapshots that are given up on the way show in status and event, once', () => {
  const { sim } = filled();
  sim.moveRules = { engine: 'ShardSnapshot' };
  sim.edit(to('cloud'));
  until(sim, 'Copying');
  assert.equal(sim.library.status?.change?.engine, 'ShardSnapshot', sim.library.status?.change?.engineReason);
  sim.work();
  if (sim.progress === undefined) assert.fail('the worker has said nothing');
  const base = { bytes: 0, bytesTotal: 0, failures: 4, indexes: [], shards: {}, shardsTotal: 1 };
  sim.progress = {
    ...sim.progress,
    base: { ...base, engine: 'Scroll', reason: 'shard snapshots were given up: no room' },
  };
  until(sim, 'Fenced');
  assert.equal(sim.library.status?.change?.engine, 'Scroll');
  assert.equal(sim.library.status.change.engineReason, 'shard snapshots were given up: no room');
  sim.settle(60);
  assert.equal(sim.library.status?.cluster, 'cloud');
  assert.equal(sim.events.filter((name) => name === 'EngineChanged').length, 1);
});
