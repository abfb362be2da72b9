import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  CONFIG_MAPS,
  CUSTOM_RESOURCE_DEFINITIONS,
  DEPLOYMENTS,
  type Deployment,
  JOBS,
  type Job,
  type KubeObject,
  keyOf,
  NAMESPACES,
  type ObjectKey,
  ownerReference,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  type PersistentVolumeClaim,
  POD_DISRUPTION_BUDGETS,
  PODS,
  resourceType,
  SERVICE_ACCOUNTS,
  STATEFUL_SETS,
  type StatefulSet,
} from '../../../src/kube/index.ts';
import { NAMESPACE, namespaceOf, startTestCluster, type TestCluster } from '../node/cluster.ts';
import { until } from '../node/host.ts';

let cluster: TestCluster;
before(async () => {
  cluster = await startTestCluster();
});
after(() => cluster.stop());

const key = (name: string, namespace = NAMESPACE): ObjectKey => ({ namespace, name });
const shell = (script: string) => ({ name: 'main', image: 'node', command: ['/bin/sh', '-c', script] });
const template = (app: string, script: string) => ({
  metadata: { labels: { app } },
  spec: { terminationGracePeriodSeconds: 1, containers: [shell(script)] },
});
const podsOf = async (app: string) =>
  cluster.client.listAll(PODS, { namespace: NAMESPACE, labelSelector: `app=${app}` });

const setOf = (name: string, spec: Partial<NonNullable<StatefulSet['spec']>> = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name, namespace: NAMESPACE },
  spec: {
    replicas: 2,
    podManagementPolicy: 'Parallel',
    serviceName: name,
    selector: { matchLabels: { app: name } },
    template: template(name, 'exec sleep 1000'),
    ...spec,
  },
});
const claimTemplate = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};
const ready = async (name: string, replicas: number): Promise<boolean> => {
  const status = (await cluster.client.get(STATEFUL_SETS, key(name))).status;
  return status?.readyReplicas === replicas && status.replicas === replicas;
};

const configMap = (name: string, owner?: KubeObject): KubeObject & { kind: 'ConfigMap' } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name,
    namespace: NAMESPACE,
    ...(owner === undefined ? {} : { ownerReferences: [ownerReference(owner)] }),
  },
});

test('a deployment replaces its pods when its template changes, and is available again', async () => {
  const { client } = cluster;
  const deployment: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'front', namespace: NAMESPACE },
    spec: { replicas: 2, selector: { matchLabels: { app: 'front' } }, template: template('front', 'exec sleep 1000') },
  };
  await client.create(DEPLOYMENTS, deployment);
  const available = async () => (await client.get(DEPLOYMENTS, key('front'))).status?.availableReplicas === 2;
  await until(available);
  const before = (await podsOf('front')).map(({ metadata }) => metadata.uid);
  const change = { spec: { template: { metadata: { annotations: { restarted: 'yes' } } } } };
  await client.patch(DEPLOYMENTS, key('front'), change, { type: 'merge' });
  await until(async () => {
    const pods = await podsOf('front');
    return pods.length === 2 && pods.every(({ metadata }) => !before.includes(metadata.uid)) && available();
  });
  await client.delete(DEPLOYMENTS, key('front'));
  await until(async () => (await podsOf('front')).length === 0);
});

const jobOf = (name: string, script: string, spec: Partial<NonNullable<Job['spec']>> = {}): Job => {
  const pod = template(name, script);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace: NAMESPACE },
    spec: { template: { ...pod, spec: { ...pod.spec, restartPolicy: 'Never' } }, ...spec },
  };
};
const jobCondition = async (name: string): Promise<string | undefined> => {
  const conditions = (await cluster.client.get(JOBS, key(name))).status?.conditions ?? [];
  return conditions.find(({ type }) => type === 'Complete' || type === 'Failed')?.reason;
};

test('a job runs to its end, its pod stays to be read', async () => {
  await cluster.client.create(JOBS, jobOf('works', 'echo done'));
  assert.equal(await until(() => jobCondition('works')), 'CompletionsReached');
  const [pod] = await podsOf('works');
  assert.equal(pod?.metadata.labels?.['batch.kubernetes.io/job-name'], 'works');
  assert.equal(pod?.status?.phase, 'Succeeded');
});

test('a job that fails is tried again up to its limit', async () => {
  await cluster.client.create(JOBS, jobOf('fails', 'exit 1', { backoffLimit: 1 }));
  assert.equal(await until(() => jobCondition('fails')), 'BackoffLimitExceeded');
  assert.equal((await podsOf('fails')).length, 2);
});

test('a finished job goes with its pods when its time is over', async () => {
  await cluster.client.create(JOBS, jobOf('goes', 'true', { ttlSecondsAfterFinished: 0 }));
  await until(async () => (await cluster.client.find(JOBS, key('goes'))) === undefined);
  await until(async () => (await podsOf('goes')).length === 0);
});

test('a claim has a directory as long as it lives, and lives as long as a pod uses it', async () => {
  const { client } = cluster;
  await client.create(STATEFUL_SETS, setOf('kept', { replicas: 1, volumeClaimTemplates: [claimTemplate] }));
  await until(() => ready('kept', 1));
  const claim = await client.get(PERSISTENT_VOLUME_CLAIMS, key('data-kept-0'));
  const volume = await client.get(PERSISTENT_VOLUMES, key(claim.spec?.volumeName ?? '', ''));
  const directory = volume.spec?.hostPath?.path ?? '';
  assert.ok(existsSync(directory));
  await client.delete(PERSISTENT_VOLUME_CLAIMS, keyOf(claim));
  const deleting = await client.get(PERSISTENT_VOLUME_CLAIMS, keyOf(claim));
  assert.notEqual(deleting.metadata.deletionTimestamp, undefined);
  await client.delete(PODS, key('kept-0'));
  await until(() => !existsSync(directory), 'the end of the directory');
  await until(() => ready('kept', 1));
  const successor = await client.get(PERSISTENT_VOLUME_CLAIMS, keyOf(claim));
  assert.notEqual(successor.metadata.uid, claim.metadata.uid);
  await client.delete(STATEFUL_SETS, key('kept'));
});

test('a claim that asks for more gets more', async () => {
  const { client } = cluster;
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'grows', namespace: NAMESPACE },
    spec: claimTemplate.spec,
  };
  await client.create(PERSISTENT_VOLUME_CLAIMS, claim);
  const capacity = async () => (await client.get(PERSISTENT_VOLUME_CLAIMS, key('grows'))).status?.capacity?.['storage'];
  await until(async () => (await capacity()) === '1Gi');
  const spec = { resources: { requests: { storage: '2Gi' } } };
  await client.patch(PERSISTENT_VOLUME_CLAIMS, key('grows'), { spec }, { type: 'merge' });
  await until(async () => (await capacity()) === '2Gi');
});

test('claims go with a set, or with a pod that is scaled away, where the set says so', async () => {
  const { client } = cluster;
  const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' };
  await client.create(
    STATEFUL_SETS,
    setOf('clean', { volumeClaimTemplates: [claimTemplate], persistentVolumeClaimRetentionPolicy }),
  );
  await until(() => ready('clean', 2));
  await client.patch(STATEFUL_SETS, key('clean'), { spec: { replicas: 1 } }, { type: 'merge' });
  await until(async () => (await client.find(PERSISTENT_VOLUME_CLAIMS, key('data-clean-1'))) === undefined);
  assert.notEqual(await client.find(PERSISTENT_VOLUME_CLAIMS, key('data-clean-0')), undefined);
  await client.delete(STATEFUL_SETS, key('clean'));
  await until(async () => (await client.find(PERSISTENT_VOLUME_CLAIMS, key('data-clean-0'))) === undefined);
});

test('a rolling update gives every pod the new revision, which then is the current one', async () => {
  const { client } = cluster;
  await client.create(STATEFUL_SETS, setOf('rolls'));
  await until(() => ready('rolls', 2));
  const changed = { spec: { template: { metadata: { annotations: { changed: 'yes' } } } } };
  await client.patch(STATEFUL_SETS, key('rolls'), changed, { type: 'merge' });
  const status = await until(async () => {
    const seen = (await client.get(STATEFUL_SETS, key('rolls'))).status;
    return (
      seen?.updatedReplicas === 2 &&
      seen.currentRevision === seen.updateRevision &&
      seen.observedGeneration === 2 &&
      seen
    );
  });
  const revisions = (await podsOf('rolls')).map(({ metadata }) => metadata.labels?.['controller-revision-hash']);
  assert.deepEqual(revisions, [status.currentRevision, status.currentRevision]);
});

test('pods that a deleted set left behind are adopted by the next of its name', async () => {
  const { client } = cluster;
  const uids = async () => new Set((await podsOf('rolls')).map(({ metadata }) => metadata.uid));
  const before = await uids();
  await client.delete(STATEFUL_SETS, key('rolls'), { propagationPolicy: 'Orphan' });
  await until(async () => (await client.find(STATEFUL_SETS, key('rolls'))) === undefined);
  const orphans = await podsOf('rolls');
  assert.deepEqual(
    orphans.map(({ metadata }) => metadata.ownerReferences ?? []),
    [[], []],
  );
  const next = await client.create(STATEFUL_SETS, setOf('rolls', { updateStrategy: { type: 'OnDelete' } }));
  await until(async () => {
    const pods = await podsOf('rolls');
    return pods.every(({ metadata }) => metadata.ownerReferences?.[0]?.uid === next.metadata.uid);
  });
  assert.deepEqual(await uids(), before);
  await until(() => ready('rolls', 2));
});

test('a budget lets evictions through as long as enough pods are healthy', async () => {
  const { client } = cluster;
  await client.create(POD_DISRUPTION_BUDGETS, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'rolls', namespace: NAMESPACE },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'rolls' } } },
  });
  const allowed = async () => (await client.get(POD_DISRUPTION_BUDGETS, key('rolls'))).status?.disruptionsAllowed;
  await until(async () => (await allowed()) === 1);
  const evict = (name: string) => {
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: NAMESPACE } };
    return client.raw('POST', `/api/v1/namespaces/${NAMESPACE}/pods/${name}/eviction`, { body });
  };
  assert.equal((await evict('rolls-0')).status, 201);
  assert.equal((await evict('rolls-1')).status, 429);
  await until(async () => (await ready('rolls', 2)) && (await allowed()) === 1);
  await client.delete(STATEFUL_SETS, key('rolls'));
});

test('what is owned goes after its owner, over any number of steps', async () => {
  const { client } = cluster;
  const owner = await client.create(CONFIG_MAPS, configMap('owner'));
  const child = await client.create(CONFIG_MAPS, configMap('child', owner));
  await client.create(CONFIG_MAPS, configMap('grandchild', child));
  await client.delete(CONFIG_MAPS, key('owner'));
  await until(async () => (await client.find(CONFIG_MAPS, key('grandchild'))) === undefined);
});

test('what is created after its owner is gone, goes too', async () => {
  const owner = await cluster.client.create(CONFIG_MAPS, configMap('brief'));
  await cluster.client.delete(CONFIG_MAPS, key('brief'));
  await cluster.client.create(CONFIG_MAPS, configMap('late', owner));
  await until(async () => (await cluster.client.find(CONFIG_MAPS, key('late'))) === undefined);
});

test('an owner deleted in the foreground goes after what it owns', async () => {
  const { client } = cluster;
  const owner = await client.create(CONFIG_MAPS, configMap('front-owner'));
  const held = configMap('held', owner);
  held.metadata.finalizers = ['example.com/hold'];
  await client.create(CONFIG_MAPS, held);
  await client.delete(CONFIG_MAPS, key('front-owner'), { propagationPolicy: 'Foreground' });
  await until(async () => (await client.get(CONFIG_MAPS, key('held'))).metadata.deletionTimestamp !== undefined);
  assert.notEqual(await client.find(CONFIG_MAPS, key('front-owner')), undefined);
  await client.patch(CONFIG_MAPS, key('held'), { metadata: { finalizers: null } }, { type: 'merge' });
  await until(async () => (await client.find(CONFIG_MAPS, key('front-owner'))) === undefined);
});

test('owners of custom kinds are known, also of those defined later', async () => {
  const { client } = cluster;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await client.create(CUSTOM_RESOURCE_DEFINITIONS, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'shelves.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { kind: 'Shelf', plural: 'shelves', singular: 'shelf', listKind: 'ShelfList' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  });
  const shelves = resourceType<KubeObject>({ group: 'example.com', version: 'v1', kind: 'Shelf', plural: 'shelves' });
  const shelf = { apiVersion: 'example.com/v1', kind: 'Shelf', metadata: { name: 'one', namespace: NAMESPACE } };
  const owner = await until(() => client.create(shelves, shelf).catch(() => undefined));
  await client.create(CONFIG_MAPS, configMap('book', owner));
  await client.delete(shelves, key('one'));
  await until(async () => (await client.find(CONFIG_MAPS, key('book'))) === undefined);
});

test('a namespace has a default service account, and takes everything along', async () => {
  const { client } = cluster;
  await client.create(NAMESPACES, namespaceOf('brief'));
  await until(() => client.find(SERVICE_ACCOUNTS, key('default', 'brief')));
  const inside = configMap('inside');
  inside.metadata.namespace = 'brief';
  await client.create(CONFIG_MAPS, inside);
  await client.delete(NAMESPACES, key('brief', ''));
  await until(async () => (await client.find(NAMESPACES, key('brief', ''))) === undefined);
  assert.equal(await client.find(CONFIG_MAPS, key('inside', 'brief')), undefined);
});
