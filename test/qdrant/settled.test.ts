import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ClusterView,
  disagreements,
  settled,
  staleMembers,
  strangers,
  unsettled,
} from '../../src/qdrant/index.ts';
import { calm, collection, peer, shard, silent } from './support/views.ts';

const raft = peer(2).raft;
const only = (view: ClusterView, expected: RegExp): void => {
  const reasons = unsettled(view);
  assert.ok(
    reasons.some((reason) => expected.test(reason)),
    reasons.join('\n'),
  );
  assert.equal(settled(view), false);
};

test('a calm cluster is settled', () => {
  assert.deepEqual(unsettled(calm()), []);
  assert.equal(settled(calm()), true);
});

test('a peer that is silent unsettles it, and is a stale member', () => {
  only(calm(silent(2)), /peer docs-1 does not answer: ECONNREFUSED/);
  assert.deepEqual(staleMembers(calm(silent(2))), [{ peerId: 2, uri: 'http://docs-1:6335/' }]);
});

test('a cluster without peers is not settled', () => {
  only({ at: 0, peers: [] }, /no peer is known/);
});

test('stopped consensus, pending operations, a learner, another commit, another leader unsettle it', () => {
  only(
    calm(peer(2, { consensus: 'stopped_with_err', consensusError: 'turbo4' })),
    /consensus of peer docs-1 is stopped_with_err/,
  );
  only(calm(peer(2, { raft: { ...raft, pendingOperations: 2 } })), /peer docs-1 has 2 operations to apply/);
  only(calm(peer(2, { raft: { ...raft, isVoter: false } })), /peer docs-1 has no vote/);
  only(calm(peer(2, { raft: { ...raft, commit: 9 } })), /different commits: 10, 9/);
  only(calm(peer(2, { raft: { ...raft, leader: 3 } })), /no common leader/);
  const { leader: _leader, ...leaderless } = raft;
  only(calm(...[1, 2, 3].map((id) => peer(id, { raft: leaderless }))), /no common leader/);
});

test('a replica that is not Active in one view, a transfer, a missing shard unsettle it', () => {
  const dead = collection({ shards: [shard(0, { 1: 'Active', 2: 'Dead' }), shard(1, { 2: 'Active', 3: 'Active' })] });
  only(calm(peer(3, { collections: [dead] })), /shard 0 of docs is Dead on peer 2/);
  only(calm(peer(3, { collections: [dead] })), /differ in the replicas of docs/);
  only(
    calm(peer(3, { collections: [collection({ transfers: [{ shardId: 0, from: 1, to: 3, sync: true }] })] })),
    /1 shard transfers run/,
  );
  const missing = [1, 2, 3].map((id) => peer(id, { collections: [collection({ shardCount: 3 })] }));
  only(calm(...missing), /1 shards of docs have no replica/);
});

test('a founder with a lost volume is a stranger to the others (S10)', () => {
  const members = [{ peerId: 9, uri: 'http://docs-0:6335/' }];
  const view = calm({ ...peer(9, { members, collections: [] }), name: 'docs-0' });
  assert.deepEqual(
    strangers(view).map(({ peerId }) => peerId),
    [9, 2, 3],
  );
  assert.deepEqual(strangers(calm()), []);
  only(view, /differ in the members/);
});

test('peers that differ in collections or aliases are told so', () => {
  assert.deepEqual(disagreements(calm(peer(1, { collections: [] }))), ['the collections']);
  assert.deepEqual(disagreements(calm(peer(1, { aliases: [{ alias: 'a', collection: 'docs' }] }))), ['the aliases']);
});

test('the order in which peers list things is no difference', () => {
  const other = collection({ name: 'other' });
  const view = calm(
    peer(1, { collections: [other, collection()] }),
    peer(2, { collections: [collection(), other] }),
    peer(3, { collections: [other, collection()] }),
  );
  assert.deepEqual(disagreements(view), []);
});

test('a Qdrant without cluster mode is settled by itself', () => {
  const alone = peer(0, {
    distributed: false,
    members: [],
    raft: { term: 0, commit: 0, pendingOperations: 0, isVoter: true },
    collections: [],
  });
  assert.deepEqual(unsettled({ at: 0, peers: [alone] }), []);
});
