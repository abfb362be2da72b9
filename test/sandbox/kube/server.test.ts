import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../../sandbox/kube/index.ts';
import { asArray, asString, at } from '../../../sandbox/kube/json.ts';
import { APPLY, Api } from './contract/api.ts';
import { configMap, field, nameOf } from './contract/world.ts';

describe('the embedded API server', () => {
  let server: ApiServer;
  let api: Api;
  let now = Date.parse('2026-01-01T00:00:00Z');
  before(async () => {
    let addresses = 0;
    server = await startApiServer({ tls: false, now: () => now, allocateClusterIP: () => `127.80.0.${++addresses}` });
    api = new Api({ url: server.url, caPem: server.caPem, token: server.tokenFor('system:admin') });
  });
  after(async () => {
    await api.close();
    await server.stop();
  });

  test('serves the log of a pod from its hook', async () => {
    await api.post('/api/v1/namespaces/default/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'speaker' },
      spec: { containers: [{ name: 'main', image: 'a:1' }] },
    });
    const path = '/api/v1/namespaces/default/pods/speaker/log';
    const waiting = await api.get(path);
    assert.equal(waiting.code, 400);
    assert.match(asString(waiting.body['message']), /is waiting to start/);
    server.hooks.podLogs = ({ pod, container }, { tailLines, previous }) =>
      Readable.from([`${pod}/${container} ${tailLines} ${previous}\n`]);
    assert.equal((await api.get(`${path}?tailLines=3&previous=true`)).text, 'speaker/main 3 true\n');
    assert.equal((await api.get(`${path}?container=other`)).code, 400);
  });

  test('applied again later, an atomic part without its defaults is no write', async () => {
    const path = '/api/v1/namespaces/default/pods/again?fieldManager=one&force=false';
    const env = [{ name: 'ME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }];
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'again' },
      spec: { containers: [{ name: 'main', image: 'a:1', env }] },
    };
    const applied = (): ReturnType<Api['send']> => api.send('PATCH', path, { body, type: APPLY });
    const first = await applied();
    assert.equal(first.code, 201, first.text);
    now += 5000;
    assert.deepEqual((await applied()).body, first.body);
  });

  test('a Service gets an address from the hook, gives it back, and keeps it', async () => {
    const freed: string[] = [];
    server.hooks.releaseClusterIP = (address) => freed.push(address);
    const services = '/api/v1/namespaces/default/services';
    const made = await api.post(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'front' },
      spec: { ports: [{ port: 80 }] },
    });
    const address = asString(field(made, 'spec', 'clusterIP'));
    assert.match(address, /^127\.80\.0\./);
    const replaced = await api.put(`${services}/front`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'front' },
      spec: { ports: [{ port: 81 }] },
    });
    assert.equal(field(replaced, 'spec', 'clusterIP'), address);
    const moved = await api.patch(`${services}/front`, {
      spec: { clusterIP: '127.80.0.99', clusterIPs: ['127.80.0.99'] },
    });
    assert.equal(moved.code, 422);
    await api.delete(`${services}/front`);
    assert.deepEqual(freed, [address]);
    const headless = await api.post(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'headless' },
      spec: { clusterIP: 'None' },
    });
    assert.equal(field(headless, 'spec', 'clusterIP'), 'None');
  });

  test('says 501 to what it does not model and 404 to what does not exist', async () => {
    for (const path of ['/apis/apps/v1/daemonsets', '/apis/batch/v1/cronjobs']) {
      const answer = await api.get(path);
      assert.equal(answer.code, 501, path);
      assert.match(asString(answer.body['message']), /does not model/);
    }
    const exec = await api.post('/api/v1/namespaces/default/pods/speaker/exec', {});
    assert.equal(exec.code, 501);
    for (const path of ['/apis/apps/v1/nothings', '/nowhere', '/apis/no.such.group/v1']) {
      assert.equal((await api.get(path)).code, 404, path);
    }
  });

  test('a namespace waits for its finalizer and takes nothing new meanwhile', async () => {
    const made = await api.post('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'leaving' },
    });
    const deleted = await api.delete('/api/v1/namespaces/leaving');
    assert.equal(field(deleted, 'status', 'phase'), 'Terminating');
    const refused = await api.post('/api/v1/namespaces/leaving/configmaps', configMap('late'));
    assert.equal(refused.code, 403);
    assert.equal(at(asArray(field(refused, 'details', 'causes'))[0], 'reason'), 'NamespaceTerminating');
    await api.put('/api/v1/namespaces/leaving/finalize', {
      ...made.body,
      metadata: { name: 'leaving' },
      spec: { finalizers: [] },
    });
    assert.equal((await api.get('/api/v1/namespaces/leaving')).code, 404);
  });

  test('a deleted definition takes its objects with it, but not past their finalizers', async () => {
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await api.post(definitions, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'cups.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { kind: 'Cup', plural: 'cups' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    });
    const cup = {
      apiVersion: 'example.com/v1',
      kind: 'Cup',
      metadata: { name: 'blue', finalizers: ['example.com/wash'] },
    };
    assert.equal((await api.post('/apis/example.com/v1/cups', cup)).code, 201);
    await api.delete(`${definitions}/cups.example.com`);
    assert.notEqual(field(await api.get('/apis/example.com/v1/cups/blue'), 'metadata', 'deletionTimestamp'), undefined);
    await api.patch('/apis/example.com/v1/cups/blue', { metadata: { finalizers: null } });
    assert.equal((await api.get(`${definitions}/cups.example.com`)).code, 404);
    assert.equal((await api.get('/apis/example.com/v1/cups')).code, 404);
  });

  test('a token ends with its time, and with its service account', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts';
    await api.post(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'short' } });
    const answer = await api.post(`${accounts}/short/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 600 },
    });
    const token = asString(field(answer, 'status', 'token'));
    assert.equal((await api.get('/version', { token })).code, 200);
    now += 601_000;
    assert.equal((await api.get('/version', { token })).code, 401);
    now -= 601_000;
    await api.delete(`${accounts}/short`);
    assert.equal((await api.get('/version', { token })).code, 401);
  });

  test('a tampered token is Unauthorized', async () => {
    const [head, , signature] = server.tokenFor('system:controllers').split('.');
    const body = Buffer.from(
      JSON.stringify({
        sub: 'system:admin',
        aud: ['https://kubernetes.default.svc.cluster.local'],
        groups: ['system:masters'],
      }),
    );
    assert.equal((await api.get('/api', { token: `${head}.${body.toString('base64url')}.${signature}` })).code, 401);
  });

  test('the history is bounded: what is older is compacted', async () => {
    const small = await startApiServer({ tls: false, historyLimit: 4 });
    const client = new Api({ url: small.url, caPem: '', token: small.tokenFor('system:admin') });
    const start = small.revision;
    for (let index = 0; index < 10; index++) {
      assert.equal(
        nameOf(await client.post('/api/v1/namespaces/default/configmaps', configMap(`m${index}`))),
        `m${index}`,
      );
    }
    const watch = await client.watch(`/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=${start}`);
    assert.equal((await watch.next())?.object['code'], 410);
    await client.close();
    await small.stop();
  });

  test('a snapshot shows all objects by type', () => {
    const { '/namespaces': namespaces } = server.snapshot();
    assert.ok(namespaces?.some(({ metadata }) => metadata.name === 'kube-system'));
  });
});
