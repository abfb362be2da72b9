import assert from 'node:assert/strict';
import { test } from 'node:test';
import { qdrantSide } from '../../src/migration/qdrant-side.ts';
import { clusterAndServers, failure } from '../qdrant/support/clients.ts';
import { refuses, reply } from '../qdrant/support/fake-server.ts';

/** Qdrant's own migration tool doesn't wait for its writes where it works in parallel: a cursor then runs ahead. */
test('a write to a side waits until it can be read, and is sent once', async (t) => {
  const { servers, cluster } = await clusterAndServers(t, 1);
  const [server] = servers;
  assert.ok(server !== undefined);
  server.always((_request, response) => reply(response, { operation_id: 1, status: 'completed' }));
  const side = qdrantSide({ client: cluster, collection: 'docs--g2', writeMilliseconds: 5000 });
  await side.upsert([{ id: 1, vector: [1, 2, 3], payload: {} }]);
  await side.remove([1], undefined);
  assert.deepEqual(
    server.received.map(({ path, query }) => [path, query.get('wait')]),
    [
      ['/collections/docs--g2/points', 'true'],
      ['/collections/docs--g2/points/delete', 'true'],
    ],
  );
  server.always(refuses(500, 'Service internal error'));
  await failure(side.upsert([{ id: 1, vector: [1, 2, 3], payload: {} }]));
  assert.equal(server.received.length, 3, 'whoever repeats it asks first whether it still may write');
});
