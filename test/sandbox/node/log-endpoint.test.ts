import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { type Certificate, selfSigned } from '../../../sandbox/kube/certificate.ts';
import { type LogEndpoint, type LogReader, serveLogs } from '../../../sandbox/node/log-endpoint.ts';

const node = selfSigned(['127.0.0.1'], Date.now());
const apiServer = selfSigned(['kube-apiserver'], Date.now());
const stranger = selfSigned(['kube-apiserver'], Date.now());

const asked: Parameters<LogReader>[] = [];
let endpoint: LogEndpoint;
before(async () => {
  const options = { ...node, clientFingerprint: new X509Certificate(apiServer.certPem).fingerprint256 };
  endpoint = await serveLogs('127.0.0.1', options, (source, query) => {
    asked.push([source, query]);
    return source.container === 'web' ? Readable.from(['one\n', 'two\n']) : undefined;
  });
});
after(() => endpoint.close());

function get(path: string, client?: Certificate): Promise<{ status: number | undefined; body: string }> {
  const identity = client === undefined ? {} : { cert: client.certPem, key: client.keyPem };
  return new Promise((resolve, reject) => {
    const { port } = endpoint;
    const call = request({ host: '127.0.0.1', port, path, ca: node.certPem, agent: false, ...identity }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
    });
    call.on('error', reject);
    call.end();
  });
}

test('the API server gets the log it asks for, with its options', async () => {
  const answer = await get('/containerLogs/team/web-0/web?tailLines=5&timestamps=true&previous=true', apiServer);
  assert.deepEqual(answer, { status: 200, body: 'one\ntwo\n' });
  const [source, { signal: _, ...query }] = asked.at(-1) ?? assert.fail('nobody was asked');
  assert.deepEqual(source, { namespace: 'team', pod: 'web-0', container: 'web' });
  assert.deepEqual(query, { follow: false, previous: true, timestamps: true, tailLines: 5 });
});

test('whoever else asks gets nothing', async () => {
  assert.equal((await get('/containerLogs/team/web-0/web')).status, 401);
  assert.equal((await get('/containerLogs/team/web-0/web', stranger)).status, 401);
});

test('a log that is not there, and whatever else a kubelet answers, is refused', async () => {
  assert.equal((await get('/containerLogs/team/web-0/other', apiServer)).status, 400);
  assert.equal((await get('/exec/team/web-0/web', apiServer)).status, 404);
});
