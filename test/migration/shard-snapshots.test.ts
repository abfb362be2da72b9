import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DamagedSnapshot } from '../../src/migration/shard-file.ts';
import { EngineRefused } from '../../src/migration/snapshot-base.ts';
import { isQdrantError } from '../../src/qdrant/index.ts';
import { REAL_BINARY, settled, until } from '../sandbox/qdrant/peers.ts';
import {
  attempt,
  collections,
  contents,
  type Ends,
  files,
  memoryStore,
  points,
  range,
  twoClusters,
} from './two-clusters.ts';

/** On the embedded engine, or on the Qdrant that QDRANT_BIN names. */
let ends: Ends;
before(
  async () => {
    const env = { SANDBOX_QDRANT_FAULTS: '1' };
    ends = await twoClusters({ source: env, target: env });
  },
  { timeout: 60_000 },
);
after(() => ends.close());

async function mustBeEqual(name: string): Promise<void> {
  const [first, ...others] = [...(await contents(ends.source, name)), ...(await contents(ends.target, name))];
  for (const other of others) assert.equal(other, first);
}

test('every shard comes over to every replica, its file is gone, its index is not kept', {
  timeout: 60_000,
}, async () => {
  await collections(ends, 'plain');
  const theirs = await ends.source[0]?.ok<{ name: string }>('POST', '/collections/plain/shards/0/snapshots?wait=true');
  const { value, error, base, said, store } = await attempt(ends, 'plain');
  assert.equal(value, true, String(error));
  assert.equal(base?.engine, 'ShardSnapshot');
  await mustBeEqual('plain');
  for (const peer of ends.target) {
    const { payload_schema } = await peer.ok<{ payload_schema: object }>('GET', '/collections/plain');
    assert.deepEqual(Object.keys(payload_schema), ['n'], 'the index of the source is dropped, its own stays');
  }
  assert.deepEqual(await files(ends.source, 'plain'), [theirs?.name], 'somebody else made that one');
  assert.deepEqual([base?.shardsTotal, said('replica is recovered'), said('"shard is copied"')], [2, 4, 2]);
  assert.ok((base?.bytesTotal ?? 0) > 0 && base?.bytes === 2 * (base?.bytesTotal ?? 0), JSON.stringify(base));
  const again = await attempt(ends, 'plain', { store });
  assert.deepEqual([again.value, again.said('"shard is copied"')], [true, 0], 'what is finished is not done again');
});

test('killed between two replicas: finished shards are left alone, both replicas are of one file', {
  timeout: 60_000,
}, async () => {
  await collections(ends, 'killed');
  const store = memoryStore();
  for (let kill = 1; kill <= 4; kill += 1) {
    const stop = new AbortController();
    const onLine = (line: string): void => {
      if (line.includes('replica is recovered')) stop.abort(new Error('killed'));
    };
    const done = Object.values(store.progress?.base?.shards ?? {}).filter((shard) => shard.done).length;
    const one = await attempt(ends, 'killed', { store, signal: stop.signal, onLine });
    if (one.value === true) break;
    assert.ok(Object.values(one.base?.shards ?? {}).filter((shard) => shard.done).length >= done);
  }
  const { value, error } = await attempt(ends, 'killed', { store });
  assert.equal(value, true, String(error));
  await mustBeEqual('killed');
  assert.deepEqual(await files(ends.source, 'killed'), []);
});

test('a worker that is told to stop leaves nothing on the source', { timeout: 60_000 }, async () => {
  await collections(ends, 'stopped');
  const stop = new AbortController();
  const onLine = (line: string): void => {
    if (line.includes('replica is recovered')) stop.abort(new Error('stopped'));
  };
  const { value } = await attempt(ends, 'stopped', { signal: stop.signal, onLine });
  assert.equal(value, undefined);
  assert.deepEqual(await files(ends.source, 'stopped'), []);
});

test('what a worker asked for and never heard of is deleted; what lay there before is not', {
  timeout: 60_000,
}, async () => {
  await collections(ends, 'unheard');
  const at = '/collections/unheard/shards/0/snapshots';
  const theirs = await ends.source[0]?.ok<{ name: string }>('POST', `${at}?wait=true`);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await ends.source[0]?.ok('POST', `${at}?wait=true`);
  const store = memoryStore();
  const first = await attempt(ends, 'unheard', { options: { wish: 'Scroll' }, store });
  assert.equal(first.value, false);
  const asked = { peer: 'from-0', before: [theirs?.name ?? ''], recovered: [], done: false };
  if (store.progress?.base === undefined) assert.fail('no progress');
  store.progress = {
    ...store.progress,
    base: { ...store.progress.base, engine: 'ShardSnapshot', indexes: ['n'], shards: { 0: asked } },
  };
  const { value, error } = await attempt(ends, 'unheard', { store });
  assert.equal(value, true, String(error));
  await mustBeEqual('unheard');
  assert.deepEqual(await files(ends.source, 'unheard'), [theirs?.name]);
});

test('a collection of another shape takes no shard (S6): points are scrolled, or it is refused', {
  timeout: 60_000,
}, async () => {
  await collections(ends, 'longer', { vectors: { size: 4, distance: 'Dot' } });
  const auto = await attempt(ends, 'longer');
  assert.deepEqual([auto.value, auto.base?.engine, auto.base?.reason], [false, 'Scroll', 'vectors..size: 3 -> 4']);
  const asked = await attempt(ends, 'longer', { options: { wish: 'ShardSnapshot' } });
  assert.ok(asked.error instanceof EngineRefused, String(asked.error));
  assert.match(asked.error.message, /size: 3 -> 4/);
  assert.deepEqual(await files(ends.source, 'longer'), [], 'nothing was asked for');
});

test('a target that is not ours, or is not empty, is left alone', { timeout: 60_000 }, async () => {
  await collections(ends, 'foreign', {
    metadata: { 'qdrant-librarian': { uid: 'other', namespace: 'n', name: 'docs', generation: 2 } },
  });
  assert.match((await attempt(ends, 'foreign')).base?.reason ?? '', /foreign was not made for this change/);
  await collections(ends, 'filled');
  await ends.target[0]?.ok('PUT', '/collections/filled/points?wait=true', { points: points([1]) });
  assert.match((await attempt(ends, 'filled')).base?.reason ?? '', /filled holds 1 points/);
  await collections(ends, 'limited', { strict_mode_config: { enabled: false, write_rate_limit: 5 } });
  assert.match((await attempt(ends, 'limited')).base?.reason ?? '', /limits the rate/);
});

test('a snapshot that is damaged on its disk is made anew; nothing of it reaches the target', {
  timeout: 60_000,
}, async () => {
  await collections(ends, 'damaged');
  const store = memoryStore();
  const damage = async (): Promise<void> => {
    for (const shard of [0, 1]) {
      for (const [at, peer] of ends.source.entries()) {
        const record = store.progress?.base?.shards[shard];
        if (record?.file === undefined || record.peer !== `from-${at}`) continue;
        const path = join(peer.directory, 'snapshots/damaged/shards', String(shard), record.file.name);
        assert.ok(existsSync(path), path);
        const file = await open(path, 'r+');
        await file.write('damaged', Math.floor(record.file.bytes / 2));
        await file.close();
      }
    }
  };
  // As soon as a file is known, before it is sent.
  const write = store.write.bind(store);
  let killed = false;
  store.write = async (progress, version) => {
    if (killed) throw new Error('killed');
    killed = Object.values(progress.base?.shards ?? {}).some((shard) => shard.file !== undefined);
    return write(progress, version);
  };
  await attempt(ends, 'damaged', { store }).catch(() => {});
  store.write = write;
  await damage();
  const second = await attempt(ends, 'damaged', { store });
  assert.ok(second.error instanceof DamagedSnapshot, String(second.error));
  assert.equal(second.said('replica is recovered'), 2, 'the shard that is not damaged comes over');
  const { value, error } = await attempt(ends, 'damaged', { store });
  assert.equal(value, true, String(error));
  await mustBeEqual('damaged');
  assert.deepEqual(await files(ends.source, 'damaged'), []);
});

test('a source peer that is killed while it makes one: another replica is asked', { timeout: 90_000 }, async () => {
  await collections(ends, 'sourceless');
  const [first, second] = ends.source;
  if (first === undefined || second === undefined) return assert.fail('no peers');
  const store = memoryStore();
  const write = store.write.bind(store);
  let killed = false;
  store.write = async (progress, version) => {
    const asked = Object.values(progress.base?.shards ?? {});
    if (!killed && asked.some(({ peer, file }) => peer === 'from-1' && file === undefined)) {
      killed = true;
      await second.stop();
    }
    return write(progress, version);
  };
  const broken = await attempt(ends, 'sourceless', { store });
  assert.ok(isQdrantError(broken.error), String(broken.error));
  await second.start({ bootstrap: first });
  await settled(ends.source, 'sourceless');
  const { value, error } = await attempt(ends, 'sourceless', { store });
  assert.equal(value, true, String(error));
  await mustBeEqual('sourceless');
  assert.deepEqual(await files(ends.source, 'sourceless'), []);
});

test('a target peer that is killed while it recovers: its shard is done again once it is back', {
  timeout: 90_000,
}, async () => {
  await collections(ends, 'targetless');
  const [first, second] = ends.target;
  if (first === undefined || second === undefined) return assert.fail('no peers');
  const store = memoryStore();
  let killed: Promise<unknown> | undefined;
  const onLine = (line: string): void => {
    if (line.includes('replica is recovered')) killed ??= second.stop();
  };
  const broken = await attempt(ends, 'targetless', { store, onLine });
  await killed;
  assert.ok(broken.error !== undefined, 'it can not be done without the peer');
  await second.start({ bootstrap: first });
  await until(async () => (await second.call('GET', '/readyz')).status === 200);
  let last: Awaited<ReturnType<typeof attempt>> = broken;
  for (let tries = 0; tries < 5 && last.value !== true; tries += 1) last = await attempt(ends, 'targetless', { store });
  assert.equal(last.value, true, String(last.error));
  assert.equal(last.base?.engine, 'ShardSnapshot', last.base?.reason);
  await mustBeEqual('targetless');
  assert.deepEqual(await files(ends.source, 'targetless'), []);
});

test('without the right to make snapshots points are scrolled, and the reason is told', {
  timeout: 60_000,
}, async () => {
  const env = { QDRANT__SERVICE__API_KEY: 'all', QDRANT__SERVICE__READ_ONLY_API_KEY: 'reading' };
  const guarded = await twoClusters();
  try {
    await collections(guarded, 'kept');
    for (const [at, peer] of guarded.source.entries()) {
      await peer.stop('SIGTERM');
      const [other] = guarded.source.filter((_, index) => index !== at);
      await peer.start({ env, ...(other === undefined ? {} : { bootstrap: other }) });
    }
    const with_ = (key: string): Ends => ({
      ...guarded,
      clients: { ...guarded.clients, source: guarded.connect(guarded.source, 'from', key) },
    });
    const headers = { 'api-key': 'all' };
    await until(async () => {
      const states = await Promise.all(
        guarded.source.map((peer) => peer.call('GET', '/collections/kept/cluster', undefined, headers)),
      );
      return states.every(({ status, text }) => status === 200 && !/Dead|Recovery|Partial/.test(text));
    });
    const store = memoryStore();
    const wrong = await attempt(with_('nobody'), 'kept', { store });
    assert.ok(isQdrantError(wrong.error, 'Unauthorized'), String(wrong.error));
    assert.equal(wrong.base, undefined, 'the next attempt has the new key');
    const reading = await attempt(with_('reading'), 'kept', { store });
    assert.equal(reading.value, false, String(reading.error));
    assert.equal(reading.base?.engine, 'Scroll');
    assert.match(reading.base?.reason ?? '', /^shard snapshots were given up: .*(manage|write) access/i);
    assert.equal(reading.said('points are sent one by one'), 1);
  } finally {
    await guarded.close();
  }
});

test('a failure that stays leads to scrolling in the end, unless shard snapshots were asked for', {
  skip: Boolean(REAL_BINARY),
}, async () => {
  for (const wish of ['Auto', 'ShardSnapshot'] as const) {
    const name = `full-${wish.toLowerCase()}`;
    await collections(ends, name);
    for (const peer of ends.target) {
      await peer.ok('POST', '/__faults', {
        match: `POST /collections/${name}/shards/.*/upload`,
        kind: 'error',
        status: 500,
        count: 100,
      });
    }
    const store = memoryStore();
    const values: unknown[] = [];
    for (let tries = 0; tries < 4; tries += 1) {
      const one = await attempt(ends, name, { store, options: { wish } });
      values.push(one.value);
    }
    assert.deepEqual(values, wish === 'Auto' ? [undefined, undefined, undefined, false] : Array(4).fill(undefined));
    assert.equal(store.progress?.base?.engine, wish === 'Auto' ? 'Scroll' : 'ShardSnapshot');
    assert.equal(store.progress?.base?.failures, 4);
    if (wish === 'Auto') assert.deepEqual(await files(ends.source, name), []);
  }
});

test('replicas are equal while clients go on writing', { timeout: 60_000 }, async () => {
  await collections(ends, 'busy');
  let stopped = false;
  const writing = (async () => {
    for (let id = 1000; !stopped; id += 20) {
      await ends.source[id % 2]?.ok('PUT', '/collections/busy/points?wait=true', {
        points: points(range(id, id + 20)),
      });
      await ends.source[0]?.ok('POST', '/collections/busy/points/delete?wait=true', { points: [id, id - 1000] });
    }
  })();
  try {
    const { value, error } = await attempt(ends, 'busy');
    assert.equal(value, true, String(error));
  } finally {
    stopped = true;
    await writing;
  }
  const [a, b] = await contents(ends.target, 'busy');
  assert.equal(a, b);
});
