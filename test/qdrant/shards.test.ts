import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  everyShardReadable,
  mergedShards,
  missingShards,
  onlyReadableOn,
  peerById,
  placement,
  shardsOn,
  transfers,
  unreadableShards,
} from '../../src/qdrant/index.ts';
import { calm, collection, peer, shard, silent } from './support/views.ts';

const transfer = { shardId: 0, from: 1, to: 3, sync: true };

test('a calm cluster reads every shard', () => {
  assert.equal(everyShardReadable(calm()), true);
  assert.deepEqual(unreadableShards(calm()), []);
});

test('a cluster of which no peer answers reads nothing', () => {
  assert.equal(everyShardReadable(calm(silent(1), silent(2), silent(3))), false);
  assert.equal(everyShardReadable({ at: 0, peers: [] }), false);
});

test("a silent peer's replicas count for nothing, though the others still call them Active", () => {
  assert.equal(everyShardReadable(calm(silent(1))), true);
  assert.deepEqual(unreadableShards(calm(silent(2), silent(3))), [
    { collection: 'docs', id: 1, reason: 'on a silent peer (2), on a silent peer (3)' },
  ]);
});

test('a shard is readable only where every view that knows the replica says so', () => {
  const worse = collection({
    shards: [shard(0, { 1: 'Active', 2: 'Active' }), shard(1, { 2: 'Dead', 3: 'Recovery' })],
  });
  const view = calm(peer(3, { collections: [worse] }));
  assert.deepEqual(unreadableShards(view), [{ collection: 'docs', id: 1, reason: 'Dead (2), Recovery (3)' }]);
  assert.equal(everyShardReadable(view, 'other'), true);
});

test('ActiveRead and ReshardingScaleDown serve reads, Partial and ManualRecovery do not', () => {
  const having = (state: 'ActiveRead' | 'ReshardingScaleDown' | 'Partial' | 'ManualRecovery') => {
    const collections = [collection({ shardCount: 1, shards: [shard(0, { 1: state })] })];
    return everyShardReadable(calm(...[1, 2, 3].map((id) => peer(id, { collections }))));
  };
  assert.deepEqual(
    [having('ActiveRead'), having('ReshardingScaleDown'), having('Partial'), having('ManualRecovery')],
    [true, true, false, false],
  );
});

test('a shard that is counted but not listed is missing (S3)', () => {
  const collections = [collection({ shards: [shard(1, { 2: 'Active', 3: 'Active' })] })];
  const view = calm(...[1, 2, 3].map((id) => peer(id, { collections })));
  assert.deepEqual(missingShards(view), [{ collection: 'docs', missing: 1 }]);
  assert.deepEqual(unreadableShards(view), [
    { collection: 'docs', id: undefined, reason: '1 shards have no replica at all' },
  ]);
  assert.equal(everyShardReadable(view), false);
});

test('the worse of two views of a replica counts', () => {
  const dead = collection({
    shards: [shard(0, { 1: 'Active', 2: 'Dead' }), shard(1, { 2: 'ActiveRead', 3: 'Active' })],
  });
  for (const teller of [1, 3]) {
    const [first, second] = mergedShards(calm(peer(teller, { collections: [dead] })));
    assert.deepEqual(first?.replicas, [
      { peerId: 1, state: 'Active' },
      { peerId: 2, state: 'Dead' },
    ]);
    assert.deepEqual(second?.replicas, [
      { peerId: 2, state: 'ActiveRead' },
      { peerId: 3, state: 'Active' },
    ]);
  }
});

test('a peer with the only readable replica of a shard is told by its shards', () => {
  assert.deepEqual(onlyReadableOn(calm(), 2), []);
  assert.deepEqual(
    onlyReadableOn(calm(silent(3)), 2).map(({ id }) => id),
    [1],
  );
  assert.deepEqual(onlyReadableOn(calm(), 99), []);
});

test('placement counts replicas on every member, the empty ones too', () => {
  assert.deepEqual(
    [...placement(calm())].sort(([a], [b]) => a - b),
    [
      [1, 1],
      [2, 2],
      [3, 1],
    ],
  );
  const empty = [1, 2, 3].map((id) => peer(id, { collections: [] }));
  assert.deepEqual(
    [...placement(calm(...empty))].sort(([a], [b]) => a - b),
    [
      [1, 0],
      [2, 0],
      [3, 0],
    ],
  );
  assert.deepEqual(
    shardsOn(calm(), 3).map(({ id }) => id),
    [1],
  );
  assert.equal(peerById(calm(), 3)?.name, 'docs-2');
});

test('a transfer is told once, with the progress of the peer that knows it', () => {
  const with_ = (comment?: string) => [
    collection({ transfers: [{ ...transfer, ...(comment === undefined ? {} : { comment }) }] }),
  ];
  const view = calm(
    peer(1, { collections: with_('14300/60000') }),
    peer(2, { collections: with_() }),
    peer(3, { collections: with_() }),
  );
  assert.deepEqual(transfers(view), [{ ...transfer, comment: '14300/60000', collection: 'docs' }]);
});
