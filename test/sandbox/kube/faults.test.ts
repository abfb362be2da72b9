import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type ApiServer, startApiServer } from '../../../sandbox/kube/index.ts';
import { Api } from './contract/api.ts';
import { configMap } from './contract/world.ts';

const MAPS = '/api/v1/namespaces/default/configmaps';

describe('faults on demand', () => {
  let server: ApiServer;
  let api: Api;
  before(async () => {
    server = await startApiServer({ tls: false, bookmarkMilliseconds: 5, random: () => 0.5 });
    api = new Api({ url: server.url, caPem: server.caPem, token: server.tokenFor('system:admin') });
    await api.post(MAPS, configMap('here'));
  });
  after(async () => {
    await api.close();
    await server.stop();
  });
  beforeEach(() => {
    server.faults.clear();
    server.audit.reset();
  });

  test('an outage refuses connections until its end', async () => {
    server.faults.outage(60_000);
    await assert.rejects(api.get(MAPS));
    server.faults.endOutage();
    assert.equal((await api.get(MAPS)).code, 200);
  });

  test('an outage can answer 503 instead', async () => {
    server.faults.outage(60_000, '503');
    assert.equal((await api.get(MAPS)).code, 503);
  });

  test('throttling hits one user, names the time to wait, and ends', async () => {
    const end = server.faults.throttle({ user: 'system:controllers', retryAfterSeconds: 7 });
    assert.equal((await api.get(MAPS)).code, 200);
    const token = server.tokenFor('system:controllers');
    const answer = await api.get(MAPS, { token });
    assert.equal(answer.code, 429);
    assert.deepEqual(answer.body['details'], { retryAfterSeconds: 7 });
    end();
    assert.equal((await api.get(MAPS, { token })).code, 200);
  });

  test('a share of the requests fails', async () => {
    server.faults.fail({ share: 0.4 });
    assert.equal((await api.get(MAPS)).code, 200);
    server.faults.fail({ share: 0.6 });
    assert.equal((await api.get(MAPS)).code, 500);
  });

  test('the next write meets a conflict, the one after does not', async () => {
    server.faults.conflictNext('configmaps');
    assert.equal((await api.patch(`${MAPS}/here`, { data: { a: '1' } })).code, 409);
    assert.equal((await api.patch(`${MAPS}/here`, { data: { a: '1' } })).code, 200);
  });

  test('a connection can be cut without an answer', async () => {
    server.faults.inject({ verbs: ['list'], times: 1 }, { kind: 'cut' });
    await assert.rejects(api.get(MAPS));
  });

  test('watches are cut, or told that they are too old', async () => {
    const first = await api.watch(`${MAPS}?watch=1`);
    await first.next();
    assert.equal(server.faults.cutWatches('configmaps'), 1);
    await assert.rejects(first.next());
    const second = await api.watch(`${MAPS}?watch=1`);
    await second.next();
    server.faults.expire();
    const event = await second.next();
    assert.equal(event?.type, 'ERROR');
    assert.equal(event?.object['code'], 410);
    assert.equal(await second.next(), undefined);
  });

  test('bookmarks carry the revision of the whole server', async () => {
    const watch = await api.watch(`${MAPS}?watch=1&allowWatchBookmarks=true&resourceVersion=${server.revision}`);
    const event = await watch.next();
    assert.equal(event?.type, 'BOOKMARK');
    assert.deepEqual(event?.object['metadata'], { resourceVersion: String(server.revision), creationTimestamp: null });
    watch.close();
  });

  test('requests are counted by user, verb, resource and answer; a write is what changed the store', async () => {
    await api.get(MAPS);
    await api.patch(`${MAPS}/here`, { data: { counted: '1' } });
    await api.patch(`${MAPS}/here`, { data: { counted: '1' } });
    await api.get(`${MAPS}/nobody`);
    assert.equal(server.audit.count(), 4);
    assert.equal(server.audit.count({ verb: 'patch', resource: '/configmaps' }), 2);
    assert.equal(server.audit.count({ user: 'system:admin', wrote: true }), 1);
    assert.equal(server.audit.count({ code: 404 }), 1);
  });

  test('listeners hear of every request', async () => {
    const heard: string[] = [];
    const end = server.audit.onRequest(({ verb, resource, name, code }) =>
      heard.push(`${verb} ${resource} ${name} ${code}`),
    );
    await api.get(`${MAPS}/here`);
    end();
    await api.get(`${MAPS}/here`);
    assert.deepEqual(heard, ['get /configmaps here 200']);
  });
});
