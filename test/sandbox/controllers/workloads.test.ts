import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, podObject, statusOf } from '../../../sandbox/controllers/deployment/decide.ts';
import { statusOf as budgetStatus, scaled } from '../../../sandbox/controllers/disruption/decide.ts';
import { slicesOf } from '../../../sandbox/controllers/endpoints/decide.ts';
import { matches, matchesMap } from '../../../sandbox/controllers/selector.ts';
import type { Deployment, EndpointSlice, Pod, PodDisruptionBudget, Service } from '../../../src/kube/index.ts';
import { now, podOf } from './objects.ts';

const deployment: Deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'operator', namespace: 'team-a', uid: 'uid-d', generation: 3 },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { spec: { containers: [{ name: 'main' }] } },
  },
};
const hash = podObject(deployment, 'x').metadata.labels?.['pod-template-hash'] ?? '';
const own = (name: string, change: Partial<Parameters<typeof podOf>[0]> = {}): Pod =>
  podOf({ name, labels: { 'pod-template-hash': hash }, ...change });
const textOf = (pods: Pod[]): string[] =>
  decide({ deployment, pods, now }).map((step) =>
    step.kind === 'createPods' ? `create ${step.count}` : `delete ${step.pod.metadata.name}`,
  );

test('a deployment creates what is missing and deletes what is too much, the unready first', () => {
  assert.deepEqual(textOf([]), ['create 2']);
  assert.deepEqual(textOf([own('a'), own('b'), own('c', { ready: false })]), ['delete c']);
  assert.deepEqual(textOf([own('a'), own('b', { phase: 'Failed' })]), ['delete b', 'create 1']);
});

test('pods of an old template go before new ones come', () => {
  assert.deepEqual(textOf([podOf({ name: 'old' })]), ['delete old']);
  assert.deepEqual(textOf([podOf({ name: 'old', terminating: true })]), []);
});

test('a deployment is available when all its pods are', () => {
  const status = statusOf({ deployment, pods: [own('a'), own('b', { ready: false })], now });
  const available = status.conditions?.find(({ type }) => type === 'Available');
  assert.deepEqual(
    [status.replicas, status.readyReplicas, status.unavailableReplicas, available?.status],
    [2, 1, 1, 'False'],
  );
  assert.equal(status.observedGeneration, 3);
});

const budgetOf = (spec: PodDisruptionBudget['spec'], status?: PodDisruptionBudget['status']): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'web', namespace: 'team-a', generation: 1 },
  spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  ...(status === undefined ? {} : { status }),
});
const three = [0, 1, 2].map((ordinal) => podOf({ name: `web-${ordinal}` }));
const allowed = (budget: PodDisruptionBudget, pods: Pod[], wantedByOwners: number | undefined = 3): number =>
  budgetStatus({ budget, pods, wantedByOwners, now }).disruptionsAllowed ?? -1;

test('a budget allows what leaves enough healthy pods of those that are wanted', () => {
  assert.equal(allowed(budgetOf({ maxUnavailable: 1 }), three), 1);
  assert.equal(allowed(budgetOf({ maxUnavailable: 1 }), three.slice(0, 2)), 0);
  assert.equal(
    allowed(budgetOf({ maxUnavailable: 1 }), [...three.slice(0, 2), podOf({ name: 'web-2', ready: false })]),
    0,
  );
  assert.equal(allowed(budgetOf({ minAvailable: '50%' }), three), 1);
  assert.equal(allowed(budgetOf({ maxUnavailable: 1 }), [], 0), 0);
});

test('an eviction that was allowed counts until its pod is seen to go', () => {
  const spent = { disruptedPods: { 'web-0': new Date(now - 1000).toISOString() } };
  const budget = budgetOf({ maxUnavailable: 1 }, spent as PodDisruptionBudget['status']);
  assert.equal(allowed(budget, three), 0);
  const successor = podOf({ name: 'web-0' });
  successor.metadata.creationTimestamp = new Date(now - 500).toISOString();
  assert.equal(allowed(budget, [successor, ...three.slice(1)]), 1);
  const old = { disruptedPods: { 'web-0': new Date(now - 200_000).toISOString() } };
  assert.equal(allowed(budgetOf({ maxUnavailable: 1 }, old as PodDisruptionBudget['status']), three), 1);
});

test('percentages are rounded up', () => {
  assert.deepEqual([scaled('34%', 3), scaled(2, 3), scaled('0%', 3)], [2, 2, 0]);
});

const service = (spec: Service['spec'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'team-a', uid: 'uid-s' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
});
const listening = (name: string, containerPort: number, change: Partial<Parameters<typeof podOf>[0]> = {}): Pod => {
  const pod = podOf({ name, ...change });
  pod.spec = {
    containers: [{ name: 'main', ports: [{ name: 'http', containerPort }] }],
    hostname: name,
    subdomain: 'web',
  };
  return pod;
};
const conditionsOf = (slices: EndpointSlice[] | undefined): unknown[] =>
  (slices ?? []).flatMap(({ endpoints = [] }) => endpoints.map(({ conditions }) => Object.values(conditions ?? {})));

test('an endpoint is ready while its pod is and is not being deleted', () => {
  const pods = [
    listening('a', 8080),
    listening('b', 8080, { ready: false }),
    listening('c', 8080, { terminating: true }),
    listening('d', 8080, { phase: 'Failed' }),
  ];
  assert.deepEqual(conditionsOf(slicesOf(service(), pods)), [
    [true, true, false],
    [false, false, false],
    [false, true, true],
  ]);
  const published = slicesOf(service({ publishNotReadyAddresses: true }), pods);
  assert.deepEqual(
    conditionsOf(published).map((values) => (values as boolean[])[0]),
    [true, true, true],
  );
});

test('pods whose named port differs stand in slices of their own', () => {
  const slices = slicesOf(service(), [listening('a', 8080), listening('b', 9090)]) ?? [];
  assert.deepEqual(new Set(slices.map(({ ports }) => ports?.[0]?.port)), new Set([8080, 9090]));
});

test("a pod of the service's subdomain has a host name in the slice", () => {
  const [slice] = slicesOf(service({ clusterIP: 'None' }), [listening('a', 8080)]) ?? [];
  assert.equal(slice?.endpoints?.[0]?.hostname, 'a');
  assert.equal(slice?.metadata.labels?.['service.kubernetes.io/headless'], '');
});

test('a service without pods has an empty slice, one without selector none of ours', () => {
  assert.deepEqual(
    slicesOf(service(), [])?.map(({ endpoints }) => endpoints),
    [[]],
  );
  const { selector: _, ...rest } = service().spec ?? {};
  assert.equal(slicesOf({ ...service(), spec: rest }, []), undefined);
});

test('an absent selector matches nothing, an empty one everything, an empty map nothing', () => {
  assert.deepEqual(
    [matches(undefined, { a: '1' }), matches({}, { a: '1' }), matchesMap({}, { a: '1' })],
    [false, true, false],
  );
});

test('expressions of a selector all have to hold', () => {
  const expression = (operator: string, values?: string[]) =>
    matches({ matchExpressions: [{ key: 'a', operator, ...(values === undefined ? {} : { values }) }] }, { a: '1' });
  assert.deepEqual(
    [expression('In', ['1']), expression('NotIn', ['1']), expression('Exists'), expression('DoesNotExist')],
    [true, false, true, false],
  );
});
