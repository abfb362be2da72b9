import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { installClusterDns } from '../../../sandbox/node/cluster-dns-client.ts';
import {
  connectionFromKubeconfig,
  ENDPOINT_SLICES,
  KubeClient,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SERVICE_ACCOUNTS,
  SERVICES,
  type Service,
  STATEFUL_SETS,
  type StatefulSet,
} from '../../../src/kube/index.ts';
import { NAMESPACE, SERVER, startTestCluster, type TestCluster } from './cluster.ts';
import { alive, until } from './host.ts';

let cluster: TestCluster;
let undoDns: () => void;
before(async () => {
  cluster = await startTestCluster();
  undoDns = installClusterDns((name) => cluster.agent.resolve(name));
});
after(async () => {
  undoDns();
  await cluster.stop();
});

const labels = { app: 'web' };
const key = (name: string) => ({ namespace: NAMESPACE, name });

const serviceOf = (name: string, spec: Service['spec']): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: NAMESPACE },
  spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
});

const set: StatefulSet = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: NAMESPACE },
  spec: {
    replicas: 3,
    podManagementPolicy: 'Parallel',
    updateStrategy: { type: 'OnDelete' },
    serviceName: 'web-headless',
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 5,
        containers: [
          {
            name: 'main',
            image: 'node:24',
            args: ['-e', SERVER],
            env: [
              { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'DATA', value: '/data' },
            ],
            ports: [{ name: 'http', containerPort: 18_080 }],
            readinessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 1 },
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
  },
};

/** What a pod answers over a connection of its own. */
const ask = (host: string, port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request({ host, port, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end();
  });

const readyReplicas = async (): Promise<number> =>
  (await cluster.client.get(STATEFUL_SETS, key('web'))).status?.readyReplicas ?? 0;

test('a StatefulSet of three pods becomes ready, each on an address and a volume of its own', async () => {
  const { client } = cluster;
  await client.create(SERVICES, serviceOf('web-headless', { clusterIP: 'None', publishNotReadyAddresses: true }));
  await client.create(SERVICES, serviceOf('web', {}));
  await client.create(STATEFUL_SETS, set);
  await until(async () => (await readyReplicas()) === 3, 'three ready pods');
  const pods = await client.listAll(PODS, { namespace: NAMESPACE });
  assert.deepEqual(pods.map(({ metadata }) => metadata.name).toSorted(), ['web-0', 'web-1', 'web-2']);
  assert.equal(new Set(pods.map(({ status }) => status?.podIP)).size, 3);
  const claims = await client.listAll(PERSISTENT_VOLUME_CLAIMS, { namespace: NAMESPACE });
  assert.deepEqual(
    claims.map(({ status }) => status?.phase),
    ['Bound', 'Bound', 'Bound'],
  );
});

test('a pod of a headless service has a name', async () => {
  assert.equal(await ask('web-1.web-headless.team-a.svc', 18_080), 'web-1 1');
  assert.equal(await ask('web-1.web-headless.team-a.svc.cluster.local', 18_080), 'web-1 1');
  await assert.rejects(ask('web-9.web-headless.team-a.svc', 18_080), { code: 'ENOTFOUND' });
});

test('a service spreads connections over its ready pods', async () => {
  const answers = await until(async () => {
    const seen = new Set<string>();
    for (let index = 0; index < 6; index += 1) seen.add(await ask('web.team-a.svc', 80).catch(() => ''));
    return seen.size === 3 && seen;
  });
  assert.deepEqual([...answers].toSorted(), ['web-0 1', 'web-1 1', 'web-2 1']);
});

test('a pod that crashed starts again on its volume', async () => {
  cluster.agent.killPod(NAMESPACE, 'web-1');
  await until(() =>
    ask('web-1.web-headless.team-a.svc', 18_080)
      .then((text) => text === 'web-1 2')
      .catch(() => false),
  );
  const pod = await until(async () => {
    const seen = await cluster.client.get(PODS, key('web-1'));
    return seen.status?.containerStatuses?.[0]?.restartCount === 1 && seen;
  });
  assert.equal(pod.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 137);
});

test('a lost volume is empty when the pod is back', async () => {
  await cluster.agent.loseVolume(NAMESPACE, 'data-web-2');
  await until(() =>
    ask('web-2.web-headless.team-a.svc', 18_080)
      .then((text) => text === 'web-2 1')
      .catch(() => false),
  );
  const pod = await cluster.client.get(PODS, key('web-2'));
  assert.ok((pod.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1);
});

test('a deleted pod comes back under its name, with a new address and the old volume', async () => {
  await until(async () => (await readyReplicas()) === 3);
  const before = await cluster.client.get(PODS, key('web-0'));
  await cluster.client.delete(PODS, key('web-0'));
  const after = await until(async () => {
    const seen = await cluster.client.find(PODS, key('web-0'));
    const ready = seen?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
    return seen?.metadata.uid !== before.metadata.uid && ready === true && seen;
  });
  assert.notEqual(after.status?.podIP, before.status?.podIP);
  await until(() =>
    ask('web-0.web-headless.team-a.svc', 18_080)
      .then((text) => text === 'web-0 2')
      .catch(() => false),
  );
});

test('logs are read through the API server', async () => {
  const { text, status } = await cluster.client.raw('GET', `/api/v1/namespaces/${NAMESPACE}/pods/web-0/log`);
  assert.deepEqual([status, text], [200, 'listening\n']);
});

test('scaling down ends the highest pods and keeps their claims', async () => {
  await cluster.client.patch(STATEFUL_SETS, key('web'), { spec: { replicas: 1 } }, { type: 'merge' });
  await until(async () => (await cluster.client.listAll(PODS, { namespace: NAMESPACE })).length === 1);
  assert.notEqual(await cluster.client.find(PODS, key('web-0')), undefined);
  const claims = await cluster.client.listAll(PERSISTENT_VOLUME_CLAIMS, { namespace: NAMESPACE });
  assert.equal(claims.length, 3);
});

test('a deleted set takes its pods and their processes along; a deleted service its slices', async () => {
  const processes = cluster.agent.processes();
  assert.equal(processes.length, 1);
  await cluster.client.delete(STATEFUL_SETS, key('web'));
  await cluster.client.delete(SERVICES, key('web'));
  await until(async () => (await cluster.client.listAll(PODS, { namespace: NAMESPACE })).length === 0);
  await until(() => processes.every(({ pid }) => !alive(pid)));
  await until(async () => {
    const slices = await cluster.client.listAll(ENDPOINT_SLICES, { namespace: NAMESPACE });
    return slices.every(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] !== 'web');
  });
});

test('a pod with a service account has a kubeconfig by which the server knows it', async () => {
  const { client } = cluster;
  const metadata = { name: 'worker', namespace: NAMESPACE };
  await client.create(SERVICE_ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  await client.create(PODS, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: {
      serviceAccountName: 'worker',
      restartPolicy: 'Never',
      containers: [{ name: 'main', image: 'node', command: ['/bin/sh', '-c', 'cat $KUBECONFIG; echo'] }],
    },
  });
  await until(async () => (await client.get(PODS, key('worker'))).status?.phase === 'Succeeded');
  const { text } = await client.raw('GET', `/api/v1/namespaces/${NAMESPACE}/pods/worker/log`);
  const asWorker = new KubeClient({ config: connectionFromKubeconfig(text) });
  const message = new RegExp(`system:serviceaccount:${NAMESPACE}:worker`);
  await assert.rejects(asWorker.get(PODS, key('worker')), { status: 403, message });
  await asWorker.close();
});
