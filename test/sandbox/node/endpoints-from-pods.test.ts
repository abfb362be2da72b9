import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PODS, SERVICES } from '../../../src/kube/index.ts';
import { NAMESPACE, startTestCluster } from './cluster.ts';
import { until } from './host.ts';

test('names and endpoints come from pods where slices cannot hold their addresses', async () => {
  const cluster = await startTestCluster({ endpointsFrom: 'pods', only: ['namespace', 'persistent-volume-claim'] });
  const { client, agent } = cluster;
  await client.create(SERVICES, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] },
  });
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod' as const,
    metadata: { name: 'web-0', namespace: NAMESPACE, labels: { app: 'web' } },
    spec: {
      hostname: 'web-0',
      subdomain: 'web',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'node', command: ['/bin/sh', '-c', 'exec sleep 1000'] }],
    },
  };
  await client.create(PODS, pod);
  const [address] = await until(() => {
    const found = agent.resolve('web-0.web.team-a.svc');
    return found.length > 0 && found;
  });
  const { status } = await client.get(PODS, { namespace: NAMESPACE, name: 'web-0' });
  assert.equal(address, status?.podIP);
  await client.delete(PODS, { namespace: NAMESPACE, name: 'web-0' });
  await until(() => agent.resolve('web-0.web.team-a.svc').length === 0);
  await cluster.stop();
});
