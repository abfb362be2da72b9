import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isQdrantError } from '../../src/qdrant/index.ts';
import { failure, peerAndServer } from './support/clients.ts';
import { type Handler, refuses, reply, result } from './support/fake-server.ts';

const bytes = Buffer.from('a snapshot');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const listed = result([{ name: 's.snapshot', size: bytes.length, checksum: sha256 }]);
const sends =
  (...chunks: Buffer[]): Handler =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    for (const chunk of chunks) response.write(chunk);
    response.end();
  };
const shard = { collection: 'docs', shard: 3 };

test('a download is whole when its checksum is the one that Qdrant stored', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(listed, sends(bytes));
  const download = await peer.downloadSnapshot(shard, 's.snapshot');
  assert.equal(download.verified, true);
  assert.throws(() => download.sha256(), RangeError);
  assert.deepEqual(await buffer(download.body), bytes);
  assert.equal(download.sha256(), sha256);
  assert.deepEqual(
    server.received.map(({ path }) => path),
    ['/collections/docs/shards/3/snapshots', '/collections/docs/shards/3/snapshots/s.snapshot'],
  );
});

test('a download with another checksum ends in an error', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(sends(Buffer.from('else')));
  const download = await peer.downloadSnapshot('docs', 's.snapshot', { checksum: sha256 });
  assert.match((await failure(buffer(download.body))).message, /checksum/);
});

test('a download that is cut ends in an error, not in less', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next((_request, response) => {
    response.writeHead(200);
    response.write(bytes);
    setTimeout(() => response.socket?.destroy(), 5);
  });
  const download = await peer.streamShardSnapshot('docs', 0);
  assert.equal(download.verified, false);
  assert.equal((await failure(buffer(download.body))).code, 'Unreachable');
});

test('a download that falls silent ends in a Timeout; a reader that takes its time does not', async (t) => {
  const { server, peer } = await peerAndServer(t, { timeouts: { streamSilence: 60 } });
  server.next(sends(bytes, bytes));
  const slow = await peer.streamShardSnapshot('docs', 0);
  let count = 0;
  for await (const chunk of slow.body as AsyncIterable<Buffer>) {
    count += chunk.length;
    await sleep(90);
  }
  assert.equal(count, 2 * bytes.length);
  server.next((_request, response) => response.writeHead(200).write(bytes));
  const silent = await peer.streamShardSnapshot('docs', 0);
  assert.equal((await failure(buffer(silent.body))).code, 'Timeout');
});

test('an abandoned download closes its connection', async (t) => {
  const { server, peer } = await peerAndServer(t);
  let closed: Promise<unknown> = Promise.resolve();
  server.next((_request, response) => {
    closed = new Promise((resolve) => {
      response.on('close', resolve);
    });
    response.writeHead(200).write(bytes);
  });
  const download = await peer.streamShardSnapshot('docs', 0);
  for await (const _chunk of download.body) break;
  await closed;
});

test('an upload is one form field, sent with priority, wait and checksum', async (t) => {
  const { server, peer } = await peerAndServer(t);
  for (const upload of [{ body: Readable.from([bytes]), bytes: bytes.length }, { body: Readable.from([bytes]) }]) {
    await peer.uploadSnapshot(shard, upload, { priority: 'replica', checksum: sha256 });
    const request = server.received.at(-1);
    assert.equal(request?.path, '/collections/docs/shards/3/snapshots/upload');
    assert.equal(String(request?.query), `priority=replica&wait=true&checksum=${sha256}`);
    const form = await new Response(request?.text, {
      headers: { 'content-type': String(request?.headers['content-type']) },
    }).formData();
    const file = form.get('snapshot');
    assert.ok(file instanceof File);
    assert.equal(await file.text(), bytes.toString());
  }
});

test('an upload is sent as it is read: no more of it is in memory than a few chunks', async (t) => {
  const { server, peer } = await peerAndServer(t);
  const chunk = Buffer.alloc(1024 * 1024);
  let read = 0;
  async function* source(): AsyncGenerator<Buffer> {
    for (; read < 64; read += 1) {
      yield chunk;
      if (read === 0) await sleep(1);
    }
  }
  server.next((_request, response) => reply(response, true));
  await peer.uploadSnapshot('docs', { body: Readable.from(source()) }, { priority: 'no_sync' });
  assert.equal(read, 64);
  assert.ok((server.received[0]?.text.length ?? 0) > 64 * chunk.length);
});

test("a source that fails is told as the source's error, and is not sent again", async (t) => {
  const { server, peer } = await peerAndServer(t);
  async function* source(): AsyncGenerator<Buffer> {
    yield bytes;
    await sleep(1);
    throw new Error('disk gone');
  }
  await assert.rejects(
    peer.uploadSnapshot('docs', { body: Readable.from(source()) }, { priority: 'snapshot' }),
    /disk gone/,
  );
  assert.equal(server.received.length, 0);
});

test('an upload that Qdrant refuses is told with its reason', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(refuses(400, 'Checksum mismatch: a != b'));
  const error = await failure(peer.uploadSnapshot('docs', { body: Readable.from([bytes]) }, { priority: 'snapshot' }));
  assert.ok(isQdrantError(error, 'BadRequest'));
  assert.match(error.message, /Checksum mismatch/);
});

test('a recovery always names its priority', async (t) => {
  const { server, peer } = await peerAndServer(t);
  await peer.recoverSnapshot(shard, {
    location: 'file:///x',
    priority: 'no_sync',
    checksum: sha256,
    apiKey: 'k',
    wait: false,
  });
  const [request] = server.received;
  assert.equal(request?.method, 'PUT');
  assert.equal(String(request?.query), 'wait=false');
  assert.deepEqual(JSON.parse(request?.text ?? ''), {
    location: 'file:///x',
    priority: 'no_sync',
    checksum: sha256,
    api_key: 'k',
  });
});

test('creating waits for the snapshot, and is never sent twice', async (t) => {
  const { server, peer } = await peerAndServer(t);
  server.next(result({ name: 'a', size: 1 }));
  assert.equal((await peer.createSnapshot('docs')).name, 'a');
  assert.equal(server.received[0]?.query.get('wait'), 'true');
  server.next((_request, response) => response.socket?.destroy());
  assert.equal((await failure(peer.createSnapshot('docs'))).ambiguous, true);
  assert.equal(server.received.length, 2);
});
