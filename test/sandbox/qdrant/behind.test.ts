import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { PeerClient } from '../../../sandbox/qdrant/consensus/transport.ts';
import { Peers, point, REAL_BINARY, settled, statesOf, until, upsert } from './peers.ts';

const shape = { vectors: { size: 3, distance: 'Dot' }, shard_number: 1, replication_factor: 2 };
const engineOnly = REAL_BINARY === undefined ? false : 'speaks the protocol of the engine, at its pace';

describe('a replica that is behind', { timeout: 60_000, skip: engineOnly }, () => {
  let peers: Peers | undefined;
  afterEach(() => peers?.close());

  test('takes no update for written while it is filled: whoever sent it marks it Dead', async (t) => {
    peers = new Peers({ SANDBOX_QDRANT_TRANSFER_MS: '20000' });
    const [a, b] = await peers.cluster(2);
    assert.ok(a !== undefined && b !== undefined);
    await a.ok('PUT', '/collections/c', shape);
    await settled([a, b], 'c');
    await b.stop();
    // Without a majority the mark, and with it the answer, waits for the peer to come back.
    const written = upsert(a, 'c', [1]);
    await b.start();
    assert.equal(await written, 200);
    const id = await b.id();
    await until(async () => statesOf(await b.view('c'), id).get(`0/${id}`) === 'Recovery');
    const client = new PeerClient();
    t.after(() => client.close());
    const change = { operation: { kind: 'delete', target: { ids: [1] } }, version: 1e15 };
    const sent = client.call(b.uri, 'update', { body: { collection: 'c', shardId: 0, change }, timeoutMs: 5000 });
    await assert.rejects(sent, { kind: 'Precondition', description: 'No target shard 0 found for update' });
  });

  test('is read no more by a peer that saw it fail, before all know that it is Dead', async () => {
    peers = new Peers({ SANDBOX_QDRANT_DEAD_MARK_MS: '3000' });
    const all = await peers.cluster(3);
    await all[0]?.ok('PUT', '/collections/c', shape);
    await settled(all, 'c');
    const holders = await Promise.all(all.map(async (peer) => (await peer.view('c')).local_shards.length > 0));
    const reader = all.find((_, index) => !holders[index]);
    const killed = all.find((_, index) => holders[index]);
    assert.ok(reader !== undefined && killed !== undefined);
    await killed.stop();
    const unmarked = reader.call('PUT', '/collections/c/points?wait=false', { points: [point(1)] });
    assert.equal((await unmarked).status, 200);
    await killed.start();
    assert.ok([...statesOf(await reader.view('c'), await reader.id()).values()].every((state) => state === 'Active'));
    for (let read = 0; read < 20; read += 1) assert.equal(await reader.count('c'), 1, `read ${read}`);
  });
});
