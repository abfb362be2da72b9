import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carryOver } from '../../src/library/decide/carry.ts';
import { type CollectionLook, collectionLook, type Look } from '../../src/library/look.ts';
import { shapeOf } from '../../src/library/shape.ts';
import type { SeenWorld } from '../../src/library/world.ts';
import type { ShardKey } from '../../src/qdrant/index.ts';
import { library } from './given.ts';
import { created } from './sim-qdrant.ts';

type Keyed = { readonly key: ShardKey; readonly shards: number; readonly replicas: number };

/** A collection that is spread by keys, with two shards and two replicas for each where nothing else is said. */
function keyed(keys: readonly Keyed[], factor = 2): CollectionLook {
  const body = { vectors: { size: 3 }, sharding_method: 'custom', shard_number: 2, replication_factor: factor };
  const shards = keys.flatMap(({ key, shards: count, replicas }) =>
    Array.from({ length: count }, () => ({
      key,
      replicas: Array.from({ length: replicas }, (_, at) => ({ peerId: at + 1, state: 'Active' as const })),
    })),
  );
  const view = {
    name: 'docs--g1',
    shardCount: shards.length,
    shards: shards.map((shard, id) => ({ id, ...shard })),
    transfers: [],
  };
  const own = { 'docs--g1': { info: created(body).info, view } };
  const peer = { name: 'main-0', peerId: 1, version: '1.18.3', memberIds: [1], distributed: true };
  const look = {
    peers: [{ ...peer, consensus: 'working', collections: ['docs--g1'], aliases: {}, own }],
    silent: [],
    everyPeerListed: true,
  } as unknown as Look;
  const seen = collectionLook(look, 'docs--g1');
  assert.ok(seen !== undefined);
  return seen;
}

const world = { memory: { sentPatches: new Map() }, now: 0 } as unknown as SeenWorld;
const step = (from: CollectionLook) => {
  const plan = carryOver(world, shapeOf(library().spec), { from, to: keyed([]) });
  const [first] = plan?.steps ?? [];
  return first?.kind === 'createShardKey' ? { key: first.key, shards: first.shards, replicas: first.replicas } : first;
};

/** Qdrant's own migration tool makes all shard keys anew with the defaults of the target. */
for (const [what, given, made] of [
  ['as the collection says: nothing more is said', { shards: 2, replicas: 2 }, {}],
  ['more shards', { shards: 3, replicas: 2 }, { shards: 3 }],
  ['more replicas', { shards: 2, replicas: 3 }, { replicas: 3 }],
  ['fewer replicas may be what a loss has left: they are made good', { shards: 2, replicas: 1 }, {}],
] as const) {
  test(`a shard key travels with its number of shards and replicas: ${what}`, () => {
    assert.deepEqual(step(keyed([{ key: 'north', ...given }])), {
      key: 'north',
      shards: undefined,
      replicas: undefined,
      ...made,
    });
  });
}

test('a shard key travels with its type', () => {
  assert.deepEqual(step(keyed([{ key: 7, shards: 2, replicas: 2 }])), {
    key: 7,
    shards: undefined,
    replicas: undefined,
  });
});
