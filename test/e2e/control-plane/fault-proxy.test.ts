import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { type FaultProxy, startFaultProxy } from '../../../e2e/grounds/control-plane/fault-proxy.ts';
import { selfSigned } from '../../../sandbox/kube/certificate.ts';
import { type ApiServer, Faults, startApiServer } from '../../../sandbox/kube/index.ts';
import { CONFIG_MAPS, type ConfigMap, KubeClient, staticConnection, type WatchEvent } from '../../../src/kube/index.ts';

const USER = 'system:serviceaccount:default:operator';
const KEY = { namespace: 'default', name: 'here' };

let server: ApiServer;
let faults: Faults;
let proxy: FaultProxy;
let client: KubeClient;
before(async () => {
  server = await startApiServer();
  faults = new Faults({ compact: () => server.compact() });
  const certificate = selfSigned(['127.0.0.1'], Date.now());
  proxy = await startFaultProxy({ address: '127.0.0.1', certificate, upstream: server, faults });
  const token = server.tokenFor(USER, ['system:masters']);
  client = new KubeClient({
    config: staticConnection({ server: proxy.url, token, ca: certificate.certPem }),
    connections: 4,
  });
  await client.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: KEY, data: { a: 'b' } });
});
after(async () => {
  await client.close();
  await proxy.close();
  await server.stop();
});
beforeEach(() => faults.clear());

const read = () => client.raw('GET', '/api/v1/namespaces/default/configmaps/here');

test('what no fault hits goes through as it is, as the user who sent it', async () => {
  server.audit.reset();
  const { status, text } = await read();
  assert.equal(status, 200);
  assert.equal((JSON.parse(text) as { data: { a: string } }).data.a, 'b');
  assert.equal(server.audit.count({ user: USER, verb: 'get', resource: '/configmaps', code: 200 }), 1);
  await client.patch(CONFIG_MAPS, KEY, { data: { a: 'c'.repeat(100_000) } }, { type: 'merge' });
  assert.equal((await client.get(CONFIG_MAPS, KEY)).data?.['a']?.length, 100_000);
});

test('a fault hits the user it is meant for, and the API server hears nothing of it', async () => {
  server.audit.reset();
  faults.fail({ user: 'someone', status: 500 });
  assert.equal((await read()).status, 200);
  faults.fail({ user: USER, verbs: ['get'], status: 503 });
  assert.equal((await read()).status, 503);
  assert.equal(server.audit.count({ user: USER }), 1);
});

test('an outage refuses connections until its end', async () => {
  faults.outage(60_000);
  await assert.rejects(read());
  faults.endOutage();
  assert.equal((await read()).status, 200);
});

/** Reads a watch until it ends, and disturbs it after its first event. */
async function disturbed(disturb: () => number): Promise<(string | number)[]> {
  const events: AsyncIterable<WatchEvent<ConfigMap>> = client.watch(
    CONFIG_MAPS,
    { namespace: 'default' },
    AbortSignal.timeout(5000),
  );
  const told: (string | number)[] = [];
  for await (const event of events) {
    if (told.length === 0) assert.equal(disturb(), 1, 'one watch is open');
    told.push(event.type === 'ERROR' ? event.error.status : event.type);
  }
  return told;
}

test('a watch is passed on as it comes, can be cut, and can be told that it is too old', async () => {
  await assert.rejects(
    disturbed(() => faults.cutWatches('configmaps')),
    { status: 0 },
  );
  assert.deepEqual(await disturbed(() => faults.expire('configmaps')), ['ADDED', 410]);
  assert.equal(faults.openWatches, 0);
});
