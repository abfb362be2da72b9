import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildEnvironment } from '../../../sandbox/node/environment.ts';
import type { Container } from '../../../sandbox/node/wire.ts';
import { place, podOf, referencesOf } from './pods.ts';

const references = referencesOf({ settings: { level: 'debug' } }, { keys: { 'api-key': 'sesame' } });

const build = (container: Partial<Container>): Record<string, string> | string => {
  const whole: Container = { name: 'main', ...container };
  const built = buildEnvironment(whole, { pod: podOf('web', { containers: [whole] }), place, references });
  return built.ok ? Object.fromEntries(built.variables) : built.message;
};

test('values come from fields of the pod, ConfigMaps and Secrets', () => {
  const env = [
    { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } },
    { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'api-key' } } },
  ];
  assert.deepEqual(build({ env }), { NAME: 'web', APP: 'web', IP: '127.9.1.1', LEVEL: 'debug', KEY: 'sesame' });
});

test('a value is expanded by what stands before it, envFrom included', () => {
  const env = [
    { name: 'A', value: '$(P_level)' },
    { name: 'B', value: '$(A)-$(C)' },
    { name: 'C', value: 'late' },
  ];
  const envFrom = [{ prefix: 'P_', configMapRef: { name: 'settings' } }];
  assert.deepEqual(build({ env, envFrom }), { P_level: 'debug', A: 'debug', B: 'debug-$(C)', C: 'late' });
});

test('env wins over envFrom', () => {
  const envFrom = [{ secretRef: { name: 'keys' } }];
  assert.deepEqual(build({ envFrom, env: [{ name: 'api-key', value: 'mine' }] }), { 'api-key': 'mine' });
});

test('what is missing is named, unless it is optional', () => {
  const secretKeyRef = { name: 'keys', key: 'nope' };
  assert.equal(build({ env: [{ name: 'A', valueFrom: { secretKeyRef } }] }), "couldn't find key nope in secret keys");
  assert.equal(build({ envFrom: [{ configMapRef: { name: 'gone' } }] }), 'configmap "gone" not found');
  const optional = { env: [{ name: 'A', valueFrom: { secretKeyRef: { ...secretKeyRef, optional: true } } }] };
  assert.deepEqual(build({ ...optional, envFrom: [{ configMapRef: { name: 'gone', optional: true } }] }), {});
});

test('resource limits are divided and rounded up', () => {
  const env = [
    { name: 'MB', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
    { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
  ];
  assert.deepEqual(build({ env, resources: { limits: { memory: '1Gi', cpu: '1500m' } } }), { MB: '1024', CPU: '2' });
});
