import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApiServer } from '../../sandbox/kube/index.ts';
import { CONFIG_MAPS, connectionFromKubeconfig, KubeClient, KubeError } from '../../src/kube/index.ts';

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
