import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApiServer } from '../../sandbox/kube/index.ts';
import { CONFIG_MAPS, connectionFromKubeconfig, KubeClient, KubeError, NAMESPACES } from '../../src/kube/index.ts';

test('a write to an object that is another one of that name by now is a conflict, as one to an old version is', async () => {
  const server = await startApiServer({});
  const client = new KubeClient({ config: connectionFromKubeconfig(server.kubeconfig('system:admin')) });
  const key = { namespace: 'default', name: 'shelf' };
  const conflict = (error: unknown): boolean => error instanceof KubeError && error.isConflict;
  try {
    await client.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: key });
    for (const stale of [{ uid: '00000000-0000-4000-8000-000000000000' }, { resourceVersion: '1' }]) {
      await assert.rejects(client.patch(CONFIG_MAPS, key, { metadata: stale }, { type: 'merge' }), conflict);
    }
    const wrong = { metadata: { labels: { 'not a label': 'x' } } };
    await assert.rejects(client.patch(CONFIG_MAPS, key, wrong, { type: 'merge' }), (error) => !conflict(error));
  } finally {
    await client.close();
    await server.stop();
  }
});

test('a namespace that is being deleted is told from a role that lacks a right', async () => {
  const server = await startApiServer({});
  const client = new KubeClient({ config: connectionFromKubeconfig(server.kubeconfig('system:admin')) });
  const name = 'leaving';
  try {
    const held = { name, namespace: name, finalizers: ['example.com/held'] };
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await client.create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...held, name: 'held' } });
    await client.delete(NAMESPACES, { namespace: '', name });
    const late = client.create(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: name },
    });
    await assert.rejects(late, (error) => error instanceof KubeError && error.isNamespaceTerminating);
  } finally {
    await client.close();
    await server.stop();
  }
  const plain = new KubeError({ verb: 'create', resource: 'secrets', status: 403, reason: 'Forbidden' });
  assert.ok(!plain.isNamespaceTerminating);
});
