import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterClient, type PeerClient } from '../../src/qdrant/index.ts';
import { lookAtClusters } from '../../src/rebalance/gather/peers.ts';
import { demands, storedLoad, storedOf, type Tenant } from '../../src/rebalance/observe/history.ts';
import { type ClusterLook, observation } from '../../src/rebalance/observe/look.ts';
import { type Peer, Peers, settled } from '../sandbox/qdrant/peers.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
const peers = new Peers();
let cluster: readonly Peer[] = [];
let client: ClusterClient;

before(
  async () => {
    cluster = await peers.cluster(2);
    client = new ClusterClient({ peers: cluster.map(({ url }, at) => ({ name: `docs-${at}`, rest: url })) });
    const [first] = cluster;
    const shape = { vectors: { size: 4, distance: 'Dot' }, shard_number: 2, replication_factor: 1 };
    await first?.ok('PUT', '/collections/docs--g1', shape);
    await settled(cluster, 'docs--g1');
    await client.upsert(
      'docs--g1',
      Array.from({ length: 300 }, (_, id) => ({ id, vector: [id, 1, 1, 1], payload: { text: 'a text' } })),
    );
    await first?.ok('POST', '/collections/aliases', {
      actions: [{ create_alias: { collection_name: 'docs--g1', alias_name: 'docs' } }],
    });
  },
  { timeout: 30_000 },
);
after(async () => {
  await client.close();
  await peers.close();
});

const tenants: readonly Tenant[] = [{ library: 'docs', names: ['docs'], collections: ['docs--g1', 'docs--g2'] }];

async function look(): Promise<ClusterLook> {
  const options = { signal: AbortSignal.timeout(20_000), now: Date.now };
  const looks = await lookAtClusters([{ cluster: 'desk', peers: client.peers }], options);
  return looks.get('desk') ?? assert.fail('no look');
}

/** Through each peer in turn. */
async function search(name: string, times: number): Promise<void> {
  for (let index = 0; index < times; index += 1) {
    const peer = client.peers[index % client.peers.length];
    await peer?.query(name, { query: [1, 0, 0, 0], limit: 3 });
  }
}

test('requests under the public name are the library’s, those under a generation’s name nobody’s', async (t) => {
  const earlier = await look();
  await sleep(300);
  await search('docs', 30);
  await search('docs--g1', 50);
  const later = await look();
  const seen = observation(later, earlier);
  assert.equal(seen.unknown, undefined);
  const told = demands(seen, tenants);
  const count = (perSecond: number | undefined): number =>
    Math.round(
      ((perSecond ?? 0) * (later.peers[0]?.sample.at ?? 0) - (perSecond ?? 0) * (earlier.peers[0]?.sample.at ?? 0)) /
        1000,
    );
  const counted = count(told?.libraries.get('docs')?.requests);
  t.diagnostic(
    `${counted} of 30 searches counted, ${((told?.libraries.get('docs')?.busy ?? 0) * 1000).toFixed(2)} ms/s`,
  );
  assert.ok(Math.abs(counted - 30) <= 1, `${counted} of 30`);
  assert.equal(Math.round(told?.others.requests ?? -1), 0);
  assert.ok((told?.libraries.get('docs')?.busy ?? 0) > 0);
});

test('what a collection stores is summed over its peers, in the process that holds it', async () => {
  const seen = observation(await look(), undefined);
  const docs = seen.stored.get('docs--g1');
  assert.equal(docs?.points, 300);
  assert.ok((docs?.bytes ?? 0) >= 300 * 4 * 4, `${docs?.bytes} bytes`);
  assert.ok(storedOf(seen).memory > storedLoad([...seen.stored.values()]).memory);
  assert.equal(seen.rates, undefined, 'one look tells no rate');
  assert.match(seen.version ?? '', /^\d+\.\d+\.\d+/);
});

test('a peer says how large its machine is, and how many members its cluster has', async () => {
  const { peers: seen } = await look();
  for (const { storage, members } of seen) {
    assert.equal(members, 2);
    assert.ok((storage.capacity?.cores ?? 0) >= 1);
    assert.ok((storage.capacity?.memoryBytes ?? 0) > 256 * 1024 ** 2);
    assert.ok((storage.capacity?.diskBytes ?? 0) > 1024 ** 3);
    assert.ok((storage.residentBytes ?? 0) > 1024 ** 2);
  }
});

test('hundreds of peers that hang do not hold up a look', async () => {
  const hanging = (name: string): PeerClient => {
    const hang = ({ signal }: { signal?: AbortSignal } = {}) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    return {
      name,
      metrics: hang,
      telemetry: (_level: number, options: { signal?: AbortSignal }) => hang(options),
    } as never;
  };
  const questions = Array.from({ length: 100 }, (_, at) => ({
    cluster: `c${at}`,
    peers: [hanging(`c${at}-0`), hanging(`c${at}-1`), hanging(`c${at}-2`)],
  }));
  const began = performance.now();
  const options = { signal: AbortSignal.timeout(20_000), now: Date.now, seconds: 0.3 };
  const looks = await lookAtClusters([...questions, { cluster: 'desk', peers: client.peers }], options);
  assert.ok(performance.now() - began < 5000);
  assert.equal(looks.size, 101);
  const seen = observation(looks.get('c99') ?? assert.fail('no look'), undefined);
  assert.match(seen.unknown ?? '', /^peer c99-0 doesn't answer: no answer within the 0\.3 s of a look; 2 more$/);
});

test('a peer that is down makes the load unknown and names itself; after its restart one interval is dropped', async () => {
  const earlier = await look();
  await cluster[1]?.stop();
  const without = await look();
  assert.match(observation(without, earlier).unknown ?? '', /^peer docs-1 doesn't answer: /);
  assert.equal(observation(without, earlier).rates, undefined);
  await cluster[1]?.start();
  await settled(cluster, 'docs--g1');
  await search('docs', 20);
  const back = await look();
  assert.equal(observation(back, earlier).unknown, undefined);
  assert.equal(observation(back, earlier).rates, undefined, 'counters began anew');
  await search('docs', 20);
  const on = observation(await look(), back);
  assert.ok((demands(on, tenants)?.libraries.get('docs')?.requests ?? 0) > 0);
});
