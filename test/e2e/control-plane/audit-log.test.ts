import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditLog, entryOf } from '../../../e2e/grounds/control-plane/audit-log.ts';

const OPERATOR = 'system:serviceaccount:librarian:operator';

const event = (change: object = {}) => ({
  stage: 'ResponseComplete',
  requestURI: '/apis/apps/v1/namespaces/team/statefulsets/desk?fieldManager=me',
  verb: 'patch',
  user: { username: OPERATOR },
  userAgent: 'node/1',
  objectRef: { resource: 'statefulsets', namespace: 'team', name: 'desk', apiGroup: 'apps', apiVersion: 'v1' },
  responseStatus: { code: 200 },
  requestReceivedTimestamp: '2026-01-01T00:00:00.000000Z',
  ...change,
});

let directory: string;
let path: string;
let log: AuditLog;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'audit-'));
  path = join(directory, 'audit.log');
  log = new AuditLog(path);
});
afterEach(() => {
  log.close();
  rmSync(directory, { recursive: true });
});

const append = (...events: object[]): void =>
  appendFileSync(path, events.map((one) => `${JSON.stringify(one)}\n`).join(''));

test('an event is told as the embedded API server tells a request', () => {
  assert.deepEqual(entryOf(event()), {
    at: Date.parse('2026-01-01T00:00:00Z'),
    user: OPERATOR,
    verb: 'patch',
    resource: 'apps/statefulsets',
    namespace: 'team',
    name: 'desk',
    path: '/apis/apps/v1/namespaces/team/statefulsets/desk',
    code: 200,
    wrote: true,
    userAgent: 'node/1',
  });
  const status = { resource: 'pods', subresource: 'status', namespace: 'team', name: 'desk-0' };
  assert.equal(entryOf(event({ objectRef: status })).resource, '/pods/status');
  assert.equal(entryOf(event({ objectRef: undefined, requestURI: '/version' })).resource, '');
  assert.equal(entryOf(event({ responseStatus: { code: 409 } })).wrote, false);
});

test('what was written up to the question is counted; half a line is left for later', () => {
  assert.equal(log.count(), 0, 'before there is a file');
  append(event(), event({ verb: 'get' }), event({ stage: 'ResponseStarted' }));
  assert.equal(log.count({ user: OPERATOR }), 2);
  const text = JSON.stringify(event({ verb: 'create' }));
  appendFileSync(path, text.slice(0, 40));
  assert.equal(log.count({ verb: 'create' }), 0);
  appendFileSync(path, `${text.slice(40)}\n`);
  assert.equal(log.count({ verb: 'create' }), 1);
});

test('a reset forgets what was written before it', () => {
  append(event());
  log.reset();
  assert.deepEqual(log.summary(), []);
  append(event());
  assert.equal(log.summary()[0]?.count, 1);
});

test('nothing is lost when a full file is put aside', () => {
  append(event());
  assert.equal(log.count(), 1);
  append(event());
  renameSync(path, join(directory, 'audit-old.log'));
  append(event());
  assert.equal(log.count(), 3);
});

test('listeners hear of requests that come while they listen', async () => {
  append(event({ verb: 'get' }));
  const heard: string[] = [];
  const end = log.onRequest(({ verb }) => heard.push(verb));
  append(event({ verb: 'patch' }));
  while (heard.length === 0) await sleep(10);
  end();
  append(event({ verb: 'delete' }));
  assert.equal(log.count(), 3);
  assert.deepEqual(heard, ['patch']);
});
