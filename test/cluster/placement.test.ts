import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { balancingMoves, drainMoves, missingCopies } from '../../src/cluster/decide/placement.ts';
import type { ShardTransfer } from '../../src/cluster/decide/step.ts';
import type { Shard, Topology } from '../../src/cluster/topology.ts';

const PEERS = [1, 2, 3, 4, 5];

const shards = fc
  .array(
    fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.uniqueArray(fc.constantFrom(...PEERS), { minLength: 1, maxLength: 4 })),
    { maxLength: 20 },
  )
  .map((drafts) =>
    drafts.map(
      ([collection, peers], id): Shard => ({
        collection,
        id,
        points: 0,
        replicas: peers.map((peer) => ({ peer, states: ['Active'], everywhere: true })),
      }),
    ),
  );

const topology = (list: readonly Shard[], transfers: Topology['transfers'] = []): Topology => ({
  members: [],
  views: [],
  outsiders: [],
  silent: [],
  shards: list,
  transfers,
  lostShards: [],
  disagreements: [],
});

/** The shards after the transfers; fails where two replicas of a shard would meet. */
function after(list: readonly Shard[], transfers: readonly ShardTransfer[]): Shard[] {
  return list.map((shard) => {
    const own = transfers.filter(({ collection, shard: id }) => collection === shard.collection && id === shard.id);
    assert.ok(own.length <= 1, 'one transfer at a time for a shard');
    const [way] = own;
    if (way === undefined) return shard;
    const peers = shard.replicas.map(({ peer }) => peer);
    assert.ok(peers.includes(way.from) && !peers.includes(way.to), 'two replicas of a shard never meet on one peer');
    const left = way.keepSource ? peers : peers.filter((peer) => peer !== way.from);
    return {
      ...shard,
      replicas: [...left, way.to].map((peer) => ({ peer, states: ['Active'] as const, everywhere: true })),
    };
  });
}

const load = (list: readonly Shard[], peer: number) =>
  list.filter(({ replicas }) => replicas.some((one) => one.peer === peer)).length;
const squares = (list: readonly Shard[]) => PEERS.reduce((sum, peer) => sum + load(list, peer) ** 2, 0);

test('every balancing move lowers the imbalance, and there is an end to them', () => {
  fc.assert(
    fc.property(shards, (list) => {
      let now = list;
      for (let round = 0; round < 200; round += 1) {
        const moves = balancingMoves(topology(now), PEERS, 1);
        if (moves.length === 0) return;
        const next = after(now, moves);
        assert.ok(squares(next) < squares(now));
        now = next;
      }
      assert.fail('no end');
    }),
  );
});

test('shards of one replica end up evenly spread', () => {
  fc.assert(
    fc.property(shards, (list) => {
      const single = list.map((shard) => ({ ...shard, replicas: shard.replicas.slice(0, 1) }));
      const end = after(single, balancingMoves(topology(single), PEERS, 1000));
      const loads = PEERS.map((peer) => load(end, peer));
      assert.ok(Math.max(...loads) - Math.min(...loads) <= 1);
    }),
  );
});

test('several moves at once touch each shard once and end no worse', () => {
  fc.assert(
    fc.property(shards, fc.nat(6), (list, most) => {
      const moves = balancingMoves(topology(list), PEERS, most);
      assert.ok(moves.length <= most);
      assert.ok(squares(after(list, moves)) <= squares(list));
    }),
  );
});

test('a drain takes every shard away that a keeper can take, and puts none back', () => {
  fc.assert(
    fc.property(shards, (list) => {
      const stay = [1, 2, 3, 4];
      const end = after(list, drainMoves(topology(list), 5, stay));
      for (const shard of end) {
        const peers = shard.replicas.map(({ peer }) => peer);
        assert.ok(!peers.includes(5) || stay.every((peer) => peers.includes(peer)));
      }
    }),
  );
});

test('missing copies bring each shard to its factor where keepers are there, and never above it', () => {
  fc.assert(
    fc.property(shards, fc.integer({ min: 1, max: 5 }), (list, factor) => {
      let now = list;
      for (let round = 0; round < 5; round += 1)
        now = after(
          now,
          missingCopies(
            topology(now),
            new Map([
              ['a', factor],
              ['b', factor],
              ['c', factor],
            ]),
            PEERS,
          ),
        );
      for (const [index, { replicas }] of now.entries()) {
        assert.equal(replicas.length, Math.max(factor, list[index]?.replicas.length ?? 0));
      }
    }),
  );
});

test('a shard that moves counts where it goes and is left alone', () => {
  const one: Shard = {
    collection: 'a',
    id: 0,
    points: 0,
    replicas: [1, 2].map((peer) => ({ peer, states: ['Active'], everywhere: true })),
  };
  const moving = topology([one], [{ collection: 'a', shard: 0, from: 1, to: 3, sync: false }]);
  assert.deepEqual(drainMoves(moving, 1, [2, 3]), []);
  assert.deepEqual(missingCopies(moving, new Map([['a', 3]]), [1, 2, 3]), []);
});

test('a replica that is not Active is not a source', () => {
  const one: Shard = { collection: 'a', id: 0, points: 0, replicas: [{ peer: 1, states: ['Dead'], everywhere: true }] };
  assert.deepEqual(drainMoves(topology([one]), 1, [2, 3]), []);
  assert.deepEqual(missingCopies(topology([one]), new Map([['a', 2]]), [1, 2, 3]), []);
});

test('without a known factor nothing is copied', () => {
  const one: Shard = {
    collection: 'a',
    id: 0,
    points: 0,
    replicas: [{ peer: 1, states: ['Active'], everywhere: true }],
  };
  assert.deepEqual(missingCopies(topology([one]), new Map(), [1, 2]), []);
});
