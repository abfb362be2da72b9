import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probeWrites } from '../../src/migration/probe.ts';
import { clusterAndServers } from '../qdrant/support/clients.ts';
import { type FakeServer, type Handler, refuses, reply } from '../qdrant/support/fake-server.ts';

const LIMITED = 'Write rate limit exceeded: Operation requires 1 tokens but only 0.0 were available. Retry after 60s';
const limited = refuses(429, LIMITED, { 'retry-after': '1' });

/** Tells of shards by their keys, and answers deletes by `deletes`. */
const collection =
  (keys: readonly (string | undefined)[], deletes: Handler): Handler =>
  (request, response) => {
    if (!request.path.endsWith('/cluster')) return deletes(request, response);
    return reply(response, {
      peer_id: 1,
      shard_count: keys.length,
      local_shards: keys.map((key, id) => ({ shard_id: id, shard_key: key, points_count: 0, state: 'Active' })),
      remote_shards: [],
      shard_transfers: [],
    });
  };

type Delete = { readonly points: readonly string[]; readonly shard_key?: string };
const deletesOf = ({ received }: FakeServer): Delete[] =>
  received.filter(({ path }) => path.endsWith('/points/delete')).map(({ text }) => JSON.parse(text) as Delete);
const probe = (cluster: Parameters<typeof probeWrites>[0]) =>
  probeWrites(cluster, 'docs--g1', new AbortController().signal);

test('asks every peer for every shard, one random id at a time, each once, and without waiting', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 2);
  for (const server of servers) server.always(collection([undefined, undefined, undefined], limited));
  assert.deepEqual(await probe(cluster), { passed: 0, refused: 2 * 3 * 16, unclear: undefined });
  const ids = servers.flatMap(deletesOf).map(({ points }) => points);
  assert.ok(ids.every((points) => points.length === 1 && /^[0-9a-f-]{14}4[0-9a-f-]{21}$/.test(points[0] ?? '')));
  assert.equal(new Set(ids.flat()).size, 2 * 3 * 16, 'no id is sent twice');
  const waiting = servers.flatMap(({ received }) => received).filter(({ query }) => query.get('wait') === 'true');
  assert.deepEqual(waiting, []);
});

test('with custom sharding every shard key is asked for', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 1);
  const [server] = servers;
  server?.always(collection(['a', 'a', 'b'], limited));
  assert.equal((await probe(cluster)).refused, 48);
  const keys = server === undefined ? [] : deletesOf(server).map(({ shard_key: key }) => key);
  assert.deepEqual(
    ['a', 'b'].map((wanted) => keys.filter((key) => key === wanted).length),
    [32, 16],
  );
  server?.always(collection([], limited));
  assert.deepEqual(await probe(cluster), { passed: 0, refused: 0, unclear: undefined });
});

test('tells what passed, and takes a 429 that is not of the limiter, or any other answer, for no refusal', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 1);
  const [server] = servers;
  let asked = 0;
  server?.always(
    collection([undefined], (request, response) => {
      asked += 1;
      if (asked === 1) return reply(response, { operation_id: 1, status: 'acknowledged' });
      return limited(request, response);
    }),
  );
  assert.deepEqual(await probe(cluster), { passed: 1, refused: 15, unclear: undefined });
  server?.always(collection([undefined], refuses(429, 'too many requests for this proxy')));
  assert.match((await probe(cluster)).unclear ?? '', /too many requests for this proxy/);
  server?.always(collection([undefined], refuses(500, 'No target shard 1 found for update')));
  assert.match((await probe(cluster)).unclear ?? '', /No target shard 1/);
});
