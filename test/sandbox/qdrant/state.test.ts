import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyOperation } from '../../../sandbox/qdrant/state/apply.ts';
import type { Operation } from '../../../sandbox/qdrant/state/operations.ts';
import { holdsShards, placeShards } from '../../../sandbox/qdrant/state/placement.ts';
import { type ClusterState, emptyState, type ReplicaState } from '../../../sandbox/qdrant/state/types.ts';

const config = {
  params: {
    vectors: { size: 2, distance: 'Dot' },
    shard_number: 1,
    replication_factor: 2,
    write_consistency_factor: 1,
    on_disk_payload: true,
  },
  hnsw_config: { m: 16 },
  optimizer_config: {},
  wal_config: {},
  quantization_config: null,
} as const;

/** Peers 1 to 3 and a collection `c` whose one shard lies on peers 1 and 2. */
const calm = (replicas: Record<string, ReplicaState> = { 1: 'Active', 2: 'Active' }): ClusterState => {
  const state = emptyState();
  for (const peerId of [1, 2, 3])
    applyOperation(state, { op: 'addPeer', peerId, uri: `http://p${peerId}:6335/`, version: '1.18.3' });
  applyOperation(state, { op: 'createCollection', name: 'c', uuid: 'u', config, shards: [{ id: 0, replicas }] });
  return state;
};
const replicas = (state: ClusterState) => state.collections.c?.shards[0]?.replicas;
const transfer = { shardId: 0, from: 1, to: 3, sync: true, method: 'snapshot' } as const;
const start = (change: object = {}): Operation => ({
  op: 'startTransfer',
  name: 'c',
  transfer: { ...transfer, ...change },
});

test('replicas are placed evenly and never twice on one peer', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 7 }),
      (peers, shards, factor) => {
        const ids = Array.from({ length: peers }, (_, id) => id + 1);
        const placed = placeShards(ids, { shards, replicas: factor, random: Math.random });
        const counts = ids.map((id) => placed.filter((chosen) => chosen.includes(id)).length);
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
        for (const chosen of placed) assert.equal(new Set(chosen).size, Math.min(peers, factor));
      },
    ),
  );
});

test('a finished replicate adds an Active replica, a finished move takes the source away', () => {
  const state = calm();
  applyOperation(state, start());
  assert.deepEqual(replicas(state), { 1: 'Active', 2: 'Active', 3: 'Recovery' });
  applyOperation(state, { op: 'recoveredToPartial', name: 'c', transfer });
  assert.equal(replicas(state)?.[3], 'Partial');
  applyOperation(state, { op: 'finishTransfer', name: 'c', transfer });
  assert.equal(replicas(state)?.[3], 'Active');
  const move = { shardId: 0, from: 2, to: 1, sync: false, method: 'snapshot' } as const;
  const moved = calm({ 2: 'Active' });
  applyOperation(moved, { op: 'startTransfer', name: 'c', transfer: move });
  applyOperation(moved, { op: 'finishTransfer', name: 'c', transfer: move });
  assert.deepEqual(replicas(moved), { 1: 'Active' });
});

test('an aborted replicate leaves a Dead target, an aborted move none', () => {
  for (const [sync, left] of [
    [true, 'Dead'],
    [false, undefined],
  ] as const) {
    const state = calm();
    applyOperation(state, start({ sync }));
    applyOperation(state, { op: 'abortTransfer', name: 'c', transfer, reason: 'test' });
    assert.equal(replicas(state)?.[3], left);
    assert.deepEqual(state.collections.c?.transfers, []);
  }
});

test('a shard takes part in one transfer per peer, from an Active source', () => {
  const state = calm({ 1: 'Active', 2: 'Dead' });
  assert.throws(() => applyOperation(state, start({ from: 2 })), /Shard 0 is not active on peer 2/);
  applyOperation(state, start());
  assert.throws(() => applyOperation(state, start({ to: 2 })), /already involved in transfer 1 -> 3/);
});

test('a restart of a transfer must change its method', () => {
  const state = calm();
  applyOperation(state, start());
  assert.throws(
    () => applyOperation(state, { op: 'restartTransfer', name: 'c', transfer }),
    /its configuration did not change/,
  );
  applyOperation(state, { op: 'restartTransfer', name: 'c', transfer: { ...transfer, method: 'stream_records' } });
  assert.equal(replicas(state)?.[3], 'Partial');
});

test('the last active replica is neither dropped nor marked Dead', () => {
  const state = calm({ 1: 'Active', 2: 'Dead' });
  assert.throws(
    () => applyOperation(state, { op: 'dropReplica', name: 'c', shardId: 0, peerId: 1 }),
    /at least one active replica/,
  );
  assert.throws(
    () => applyOperation(state, { op: 'setReplica', name: 'c', shardId: 0, peerId: 1, state: 'Dead' }),
    /last active replica/,
  );
  applyOperation(state, { op: 'dropReplica', name: 'c', shardId: 0, peerId: 2 });
  assert.deepEqual(replicas(state), { 1: 'Active' });
});

test('a state change that expects another state is refused', () => {
  const late: Operation = { op: 'setReplica', name: 'c', shardId: 0, peerId: 2, state: 'Dead', from: 'Partial' };
  assert.throws(() => applyOperation(calm(), late), /expected Partial/);
});

test('a removed peer takes its replicas and transfers along, the last ones too (S3)', () => {
  const state = calm({ 1: 'Active' });
  applyOperation(state, start());
  assert.equal(holdsShards(state, 3), true);
  applyOperation(state, { op: 'removePeer', peerId: 1 });
  assert.deepEqual(state.collections.c?.transfers, []);
  assert.deepEqual(replicas(state), { 3: 'Dead' });
  assert.equal(state.peers[1], undefined);
});

test('shard ids of keys begin at 1, and a dropped highest id is used again', () => {
  const state = emptyState();
  applyOperation(state, { op: 'createCollection', name: 'c', uuid: 'u', config, shards: [] });
  const key = (name: string): Operation => ({
    op: 'createShardKey',
    name: 'c',
    key: name,
    placement: [[1], [2]],
    state: 'Active',
  });
  applyOperation(state, key('a'));
  applyOperation(state, key('b'));
  assert.throws(() => applyOperation(state, key('a')), /already exists/);
  applyOperation(state, { op: 'dropShardKey', name: 'c', key: 'b' });
  applyOperation(state, key('d'));
  assert.deepEqual(
    state.collections.c?.shards.map(({ id, key: name }) => [id, name]),
    [
      [1, 'a'],
      [2, 'a'],
      [3, 'd'],
      [4, 'd'],
    ],
  );
});

test('deleting a collection deletes its aliases', () => {
  const state = calm();
  applyOperation(state, { op: 'aliases', actions: [{ kind: 'create', alias: 'front', collection: 'c' }] });
  assert.equal(applyOperation(state, { op: 'deleteCollection', name: 'c' }), true);
  assert.deepEqual(state.aliases, {});
  assert.equal(applyOperation(state, { op: 'deleteCollection', name: 'c' }), false);
});
