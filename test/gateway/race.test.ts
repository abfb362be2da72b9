import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/kube/index.ts';
import { type Fence, fencePatch, type Mark } from '../../src/migration/fence.ts';
import { qdrantSide } from '../../src/migration/qdrant-side.ts';
import { tighten } from '../../src/migration/tighten.ts';
import { ClusterClient } from '../../src/qdrant/index.ts';
import { Peers, until } from '../sandbox/qdrant/peers.ts';
import { call, KEY, NAMESPACE, World } from './world.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
const peers = new Peers({ QDRANT__SERVICE__API_KEY: KEY });
const world = new World();
let client: ClusterClient;
let url = '';

before(
  async () => {
    const cluster = await peers.cluster(2);
    url = cluster[0]?.url ?? assert.fail();
    const addresses = cluster.map((peer, at) => ({ name: `docs-${at}`, rest: peer.url }));
    client = new ClusterClient({ peers: addresses, apiKey: KEY });
  },
  { timeout: 30_000 },
);
after(async () => {
  await client.close();
  await world.close();
  await peers.close();
});

const physical = (generation: number): string => `docs--g${generation}`;
const markOf = (generation: number): Mark => ({ uid: 'u', namespace: NAMESPACE, name: 'docs', generation });

async function create(generation: number): Promise<void> {
  await client.createCollection(physical(generation), {
    vectors: { size: 2, distance: 'Dot' },
    shard_number: 2,
    replication_factor: 2,
  });
  await until(async () => {
    const { local_shards: local, remote_shards: remote } = await client
      .peer('docs-0')
      .collectionCluster(physical(generation));
    return [...local, ...remote].every(({ state }) => state === 'Active');
  });
}

/** What operator and worker do: copy, fence, use its tokens up, copy the rest, switch. The old one stays closed. */
async function change(from: number): Promise<void> {
  const to = from + 1;
  await create(to);
  await copy(from, to);
  const fence: Fence = { nonce: `n${to}`, at: Date.now(), before: { enabled: false, writeConsistencyFactor: 1 } };
  await client.updateCollection(physical(from), fencePatch(markOf(from), fence));
  const side = qdrantSide({ client, collection: physical(from), writeMilliseconds: 10_000 });
  await until(async () => (await side.state()).peers.every((state) => state.fence === fence.nonce));
  const tightness = await tighten({
    side,
    nonce: fence.nonce,
    timing: systemClock,
    signal: new AbortController().signal,
    pollMilliseconds: 200,
    drainMilliseconds: 8000,
    limitMilliseconds: 20_000,
    settleMilliseconds: 500,
    blindSettleMilliseconds: 1000,
    touch: () => {},
  });
  assert.equal(tightness.kind, 'tight', JSON.stringify(tightness));
  await copy(from, to);
  await client.updateAliases([{ create_alias: { alias_name: 'docs', collection_name: physical(to) } }]);
  world.change('docs', { generation: to, collection: physical(to) });
}

async function copy(from: number, to: number): Promise<void> {
  const source = await Array.fromAsync(client.scrollAll(physical(from), { withVectors: true, limit: 1000 }));
  const ids = new Set(source.map(({ id }) => id));
  const target = await Array.fromAsync(client.scrollAll(physical(to), { limit: 1000 }));
  const extra = target.map(({ id }) => id).filter((id) => !ids.has(id));
  if (source.length > 0) await client.upsert(physical(to), source);
  if (extra.length > 0) await client.deletePoints(physical(to), { ids: extra });
}

/** Writes, updates and deletes its own ids through one gateway, and remembers what was acknowledged. */
class Writer {
  readonly acknowledged = new Map<number, number | undefined>();
  readonly refused: string[] = [];
  longest = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(gateway: string, first: number) {
    this.#running = this.#run(gateway, first);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(gateway: string, first: number): Promise<void> {
    const points = `${gateway}/collections/docs/points`;
    for (let round = 0; !this.#stopped; round += 1) {
      const id = first + (round % 50);
      const removes = round % 7 === 6;
      const began = performance.now();
      const answer = removes
        ? await call(`${points}/delete?wait=true`, { method: 'POST', body: { points: [id] } })
        : await call(`${points}?wait=true`, {
            method: 'PUT',
            body: { points: [{ id, vector: [id, round], payload: { round } }] },
          });
      this.longest = Math.max(this.longest, performance.now() - began);
      if (answer.status === 200) this.acknowledged.set(id, removes ? undefined : round);
      else this.refused.push(`${answer.status} ${answer.text.slice(0, 120)}`);
      await sleep(2);
    }
  }
}

test('two gateways, one of which hears of nothing, against changes of generation: all that was acknowledged is in the last one', {
  timeout: 120_000,
}, async (context) => {
  await create(1);
  await client.updateAliases([{ create_alias: { alias_name: 'docs', collection_name: physical(1) } }]);
  world.putCluster('docs', url);
  const first = world.putLibrary('docs', { cluster: 'docs', url });
  const [informed, stale] = [await world.gateway(), await world.gateway()];
  const writers = [informed, stale, informed, stale].map((gateway, at) => new Writer(gateway, at * 1000));
  const showing = setInterval(() => world.showTo(0, world.library('docs')), 20);
  try {
    for (let generation = 1; generation <= 3; generation += 1) {
      await sleep(500);
      await change(generation);
    }
    await sleep(500);
  } finally {
    clearInterval(showing);
    await Promise.all(writers.map((writer) => writer.stop()));
  }
  assert.equal(
    world.seenBy(1, 'docs')?.metadata.resourceVersion,
    first.metadata.resourceVersion,
    'it heard of nothing',
  );
  const found = new Map<number, unknown>();
  for await (const { id, payload } of client.scrollAll(physical(4), { limit: 1000 })) {
    found.set(Number(id), payload['round']);
  }
  const all = new Map(writers.flatMap(({ acknowledged }) => [...acknowledged]));
  const lost = [...all].filter(([id, round]) => found.get(id) !== round);
  const phantoms = [...found.keys()].filter((id) => all.get(id) === undefined);
  const writes = writers.map(({ acknowledged }) => acknowledged.size).reduce((a, b) => a + b);
  context.diagnostic(
    `${writes} ids acknowledged, longest write ${Math.max(...writers.map(({ longest }) => longest)).toFixed(0)} ms`,
  );
  assert.deepEqual({ lost, phantoms }, { lost: [], phantoms: [] });
  assert.deepEqual(
    writers.flatMap(({ refused }) => refused),
    [],
    'no write failed',
  );
  assert.ok(writers.every(({ acknowledged }) => acknowledged.size > 20));
});
