import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isClusterName } from '../../../sandbox/node/cluster-dns-client.ts';
import { resolveClusterName } from '../../../sandbox/node/cluster-names.ts';
import { hostsLines } from '../../../sandbox/node/hosts-file.ts';
import { servicePorts } from '../../../sandbox/node/service-backends.ts';
import type { EndpointSlice, Service } from '../../../src/kube/index.ts';

const serviceOf = (name: string, clusterIP?: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'team-a' },
  spec: { ports: [{ name: 'http', port: 80 }], ...(clusterIP === undefined ? {} : { clusterIP }) },
});
const sliceOf = (endpoints: EndpointSlice['endpoints'], port = 8080): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'team-a' },
  addressType: 'IPv4',
  ports: [{ name: 'http', port }],
  endpoints: endpoints ?? [],
});
const slice = sliceOf([
  { addresses: ['127.9.1.1'], hostname: 'web-0', conditions: { ready: true } },
  { addresses: ['127.9.1.2'], hostname: 'web-1', conditions: { ready: false } },
]);
const world = {
  service: (namespace: string, name: string) => {
    if (namespace !== 'team-a') return undefined;
    return { web: serviceOf('web', '10.0.0.1'), headless: serviceOf('headless', 'None') }[name];
  },
  slices: () => [slice],
  serviceAddress: () => '127.9.128.1',
};

test('a service with an address has one, a headless one those of its ready pods', () => {
  assert.deepEqual(resolveClusterName('web.team-a.svc', world), ['127.9.128.1']);
  assert.deepEqual(resolveClusterName('headless.team-a.svc.cluster.local', world), ['127.9.1.1']);
});

test('a ready pod of a headless service has a name', () => {
  assert.deepEqual(resolveClusterName('web-0.headless.team-a.svc', world), ['127.9.1.1']);
  assert.equal(resolveClusterName('web-1.headless.team-a.svc', world), undefined);
});

test('a hosts file has a line for every address of every name', () => {
  const services = [serviceOf('web', '10.0.0.1'), serviceOf('headless', 'None')];
  assert.deepEqual(hostsLines({ ...world, services }), [
    '127.9.1.1 headless.team-a.svc headless.team-a.svc.cluster.local',
    '127.9.1.1 web-0.headless.team-a.svc web-0.headless.team-a.svc.cluster.local',
    '127.9.1.1 web-0.web.team-a.svc web-0.web.team-a.svc.cluster.local',
    '127.9.128.1 web.team-a.svc web.team-a.svc.cluster.local',
  ]);
});

test('other names are none of the cluster', () => {
  for (const name of ['web.other.svc', 'svc', 'team-a.svc', 'a.b.c.d.svc', 'example.com', 'web.team-a']) {
    assert.equal(resolveClusterName(name, world), undefined, name);
  }
  assert.deepEqual(['web.team-a.svc', 'WEB.team-a.SVC.', 'a.svc.cluster.local'].map(isClusterName), [true, true, true]);
  assert.deepEqual(['example.com', 'svc', 'localhost', 'x.svc.example.com'].map(isClusterName), [
    false,
    false,
    false,
    false,
  ]);
});

test('connections go to ready pods, or to those that end when there are no others', () => {
  const backends = (endpoints: EndpointSlice['endpoints']) =>
    servicePorts(serviceOf('web'), [sliceOf(endpoints)])[0]?.backends;
  const ready = { addresses: ['a'], conditions: { ready: true, serving: true, terminating: false } };
  const unready = { addresses: ['b'], conditions: { ready: false, serving: false, terminating: false } };
  const ending = { addresses: ['c'], conditions: { ready: false, serving: true, terminating: true } };
  assert.deepEqual(backends([ready, unready, ending]), [{ address: 'a', port: 8080 }]);
  assert.deepEqual(backends([unready, ending]), [{ address: 'c', port: 8080 }]);
  assert.deepEqual(backends([unready]), []);
});

test('each slice has its own port numbers', () => {
  const slices = [sliceOf([{ addresses: ['a'] }], 1), sliceOf([{ addresses: ['b'] }], 2)];
  assert.deepEqual(servicePorts(serviceOf('web'), slices)[0]?.backends, [
    { address: 'a', port: 1 },
    { address: 'b', port: 2 },
  ]);
});
