import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadAll } from 'js-yaml';
import { gatewaySettings } from '../../src/gateway-settings.ts';
import type { Deployment } from '../../src/kube/index.ts';
import { operatorSettings } from '../../src/settings.ts';
import { ROOT } from '../architecture/sources.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const [deployment] = loadAll(read('manifests/base/deployment.yaml')) as Deployment[];
const pod = deployment?.spec?.template.spec;
const container = pod?.containers[0];

/** The lines of a manifest that say how the pod is secured, without their indentation. */
const securityLines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) =>
      /^(?:runAs|readOnlyRoot|allowPrivilege|drop:|type: Runtime|enableServiceLinks|terminationGrace)/.test(line),
    )
    .toSorted();

test('the operator runs restricted: no root, no writable root file system, no capability, no privilege', () => {
  assert.equal(pod?.securityContext?.runAsNonRoot, true);
  assert.equal(pod?.securityContext?.seccompProfile?.type, 'RuntimeDefault');
  assert.equal(container?.securityContext?.readOnlyRootFilesystem, true);
  assert.equal(container?.securityContext?.allowPrivilegeEscalation, false);
  assert.deepEqual(container?.securityContext?.capabilities?.drop, ['ALL']);
});

test('no Service of the namespace can become a setting: service links are off', () => {
  assert.equal(pod?.enableServiceLinks, false);
  assert.throws(() => operatorSettings({ QDRANT_LIBRARIAN_METRICS_PORT: 'tcp://10.0.0.1:8080' }), /METRICS_PORT/);
});

test('the variables of the Deployment are settings', () => {
  const named = (container?.env ?? []).filter(({ name }) => name.startsWith('QDRANT_LIBRARIAN_'));
  assert.ok(named.length > 0);
  operatorSettings(Object.fromEntries(named.map(({ name, value }) => [name, value ?? ''])));
});

test('the chart secures the pod as the manifests do', () => {
  const chart = read('charts/qdrant-librarian/templates/deployment.yaml');
  assert.deepEqual(securityLines(chart), securityLines(read('manifests/base/deployment.yaml')));
});

test('no rule grants everything: no wildcard in any of the generated roles', () => {
  assert.doesNotMatch(read('manifests/base/rbac.yaml'), /\*/);
});

test("every variable of the chart's Deployment is a setting, and the pull secrets go to copy Jobs, too", () => {
  const chart = read('charts/qdrant-librarian/templates/deployment.yaml');
  const names = [...chart.matchAll(/name: (QDRANT_LIBRARIAN_[A-Z_]+)/g)].map(([, name]) => name ?? '');
  for (const name of names) {
    const refused = (error: Error): boolean => !error.message.includes('is not a setting');
    assert.throws(() => operatorSettings({ [name]: 'NOT,VALID\n', QDRANT_LIBRARIAN_WORKERS: '0' }), refused, name);
  }
  assert.ok(names.includes('QDRANT_LIBRARIAN_IMAGE_PULL_SECRETS'));
});

const [, gatewayService, budget, gateway] = loadAll(read('manifests/base/gateway.yaml')) as Deployment[];
const gatewayPod = gateway?.spec?.template.spec;

test('the gateway runs restricted as the operator does, in the chart and in the manifests', () => {
  const chart = read('charts/qdrant-librarian/templates/gateway/deployment.yaml');
  assert.deepEqual(securityLines(chart), securityLines(read('manifests/base/gateway.yaml')));
  assert.deepEqual(securityLines(chart), securityLines(read('manifests/base/deployment.yaml')));
});

test('two gateways, of which one goes at a time, and not before another one is ready', () => {
  assert.equal(gateway?.spec?.replicas, 2);
  assert.deepEqual(gateway?.spec?.strategy?.rollingUpdate, { maxUnavailable: 0, maxSurge: 1 });
  assert.equal((budget?.spec as { maxUnavailable?: number } | undefined)?.maxUnavailable, 1);
  const selector = gateway?.spec?.selector.matchLabels;
  assert.deepEqual(gateway?.spec?.template.metadata?.labels, selector);
  assert.deepEqual((gatewayService?.spec as { selector?: unknown } | undefined)?.selector, selector);
});

test('a gateway has the time to serve on, and to end what is under way, before it is killed', () => {
  const { leaveSeconds, drainSeconds } = gatewaySettings({});
  assert.ok(leaveSeconds + drainSeconds < (gatewayPod?.terminationGracePeriodSeconds ?? 0));
});

test("every variable of the gateway's Deployments is a setting", () => {
  const texts = [
    read('charts/qdrant-librarian/templates/gateway/deployment.yaml'),
    read('manifests/base/gateway.yaml'),
  ];
  const names = texts.flatMap((text) =>
    [...text.matchAll(/name: (QDRANT_LIBRARIAN_[A-Z_]+)/g)].map(([, name]) => name ?? ''),
  );
  assert.ok(names.length > 3);
  for (const name of names) {
    const refused = (error: Error): boolean => !error.message.includes('is not a setting');
    assert.throws(() => gatewaySettings({ [name]: 'NOT,VALID\n', QDRANT_LIBRARIAN_GATEWAY_PORT: '-1' }), refused, name);
  }
});
