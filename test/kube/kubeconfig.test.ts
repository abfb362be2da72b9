import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileText } from '../../src/kube/file-text.ts';
import {
  connectionFromClientNode,
  connectionFromKubeconfig,
  connectionFromKubeconfigFile,
  defaultConnection,
  inClusterConnection,
  KubeClient,
} from '../../src/kube/index.ts';
import { ManualClock } from './manual-clock.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function kubeconfig(user: Record<string, unknown>, cluster: Record<string, unknown> = {}, name = 'main'): string {
  return JSON.stringify({
    'current-context': name,
    clusters: [{ name, cluster: { server: `https://${name}:6443`, ...cluster } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    users: [{ name, user }],
  });
}

async function directory(files: Record<string, string>) {
  const path = await mkdtemp(join(tmpdir(), 'kube-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test('token, certificates and server name come from the kubeconfig itself', async () => {
  const connection = connectionFromKubeconfig(
    kubeconfig(
      { token: 't', 'client-certificate-data': base64('cert'), 'client-key-data': base64('key') },
      { 'certificate-authority-data': base64('ca'), 'tls-server-name': 'api', 'proxy-url': 'http://proxy:3128' },
    ),
  );
  assert.equal(connection.server, 'https://main:6443');
  assert.deepEqual(await connection.credentials(), {
    headers: { authorization: 'Bearer t' },
    tls: { ca: 'ca', cert: 'cert', key: 'key', serverName: 'api', proxyUrl: 'http://proxy:3128' },
  });
});

test('a certificate is left unchecked only when the kubeconfig says so', async () => {
  const insecure = connectionFromKubeconfig(kubeconfig({}, { 'insecure-skip-tls-verify': true }));
  assert.deepEqual((await insecure.credentials()).tls, { insecure: true });
});

test('user and password become basic authentication', async () => {
  const { headers } = await connectionFromKubeconfig(kubeconfig({ username: 'u', password: 'p' })).credentials();
  assert.deepEqual(headers, { authorization: `Basic ${base64('u:p')}` });
});

test('files are relative to the kubeconfig', async () => {
  await using files = await directory({ token: 'from file\n', ca: 'ca' });
  await writeFile(join(files.path, 'config'), kubeconfig({ tokenFile: 'token' }, { 'certificate-authority': 'ca' }));
  const connection = connectionFromKubeconfigFile(join(files.path, 'config'));
  assert.deepEqual(await connection.credentials(), {
    headers: { authorization: 'Bearer from file' },
    tls: { ca: 'ca' },
  });
});

test('$KUBECONFIG may name several files; the first that says something wins', async () => {
  await using files = await directory({
    a: kubeconfig({ token: 'a' }, {}, 'a'),
    b: kubeconfig({ token: 'b' }, {}, 'b'),
  });
  const KUBECONFIG = [join(files.path, 'b'), join(files.path, 'a')].join(delimiter);
  const connection = defaultConnection({ KUBECONFIG });
  assert.equal(connection.server, 'https://b:6443');
  assert.equal((await connection.credentials()).headers['authorization'], 'Bearer b');
});

test('an exec plugin is asked through client-node', async () => {
  const credential = JSON.stringify({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'from plugin' },
  });
  await using files = await directory({ plugin: `#!/bin/sh\necho '${credential}'\n` });
  const command = join(files.path, 'plugin');
  await chmod(command, 0o700);
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' };
  const connection = connectionFromKubeconfig(kubeconfig({ exec }, { 'certificate-authority-data': base64('ca') }));
  const { headers, tls } = await connection.credentials();
  assert.equal(headers['Authorization'] ?? headers['authorization'], 'Bearer from plugin');
  assert.deepEqual(tls, { ca: 'ca' });
});

test('a KubeConfig of client-node will do as well', async () => {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromString(kubeconfig({ token: 't' }));
  const { headers } = await connectionFromClientNode(config).credentials();
  assert.equal(headers['Authorization'] ?? headers['authorization'], 'Bearer t');
  await new KubeClient({ config }).close();
  assert.throws(() => connectionFromClientNode(new KubeConfig()), /names no cluster/);
});

test('what a kubeconfig lacks is named', () => {
  assert.throws(() => connectionFromKubeconfig('{}'), /no current-context/);
  assert.throws(() => connectionFromKubeconfig(kubeconfig({}), { context: 'other' }), /no context named other/);
  const text = kubeconfig({}).replace('"cluster":"main"', '"cluster":"gone"');
  assert.throws(() => connectionFromKubeconfig(text), /no cluster named gone/);
});

test('a kubeconfig that is no YAML is refused without showing its text', () => {
  assert.throws(
    () => connectionFromKubeconfig('users:\n- token: canary-5f3a\n  broken: [\n'),
    (error) => error instanceof Error && /no valid YAML/.test(error.message) && !String(error.stack).includes('canary'),
  );
});

test('a pod talks with its service account, and only inside a cluster', async () => {
  assert.equal(inClusterConnection({}), undefined);
  await using files = await directory({ token: 'sa', 'ca.crt': 'ca' });
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  const connection = inClusterConnection(environment, files.path);
  assert.equal(connection?.server, 'https://[fd00::1]:443');
  assert.deepEqual(await connection?.credentials(), { headers: { authorization: 'Bearer sa' }, tls: { ca: 'ca' } });
});

test('a rotated file is read again after a minute, or at once when its content was refused', async () => {
  await using files = await directory({ token: 'first' });
  const clock = new ManualClock();
  const path = join(files.path, 'token');
  const token = fileText(path, clock);
  assert.equal(await token.read(), 'first');
  await writeFile(path, 'second');
  clock.advance(59_000);
  assert.equal(await token.read(), 'first');
  clock.advance(1_000);
  assert.equal(await token.read(), 'second');
  await writeFile(path, 'third');
  token.forget();
  assert.equal(await token.read(), 'third');
});

test('a file that vanishes keeps its last text; one that never was is an error', async () => {
  await using files = await directory({ token: 'first' });
  const clock = new ManualClock();
  const token = fileText(join(files.path, 'token'), clock);
  await token.read();
  await rm(join(files.path, 'token'));
  clock.advance(60_000);
  assert.equal(await token.read(), 'first');
  await assert.rejects(fileText(join(files.path, 'none'), clock).read(), { code: 'ENOENT' });
});
