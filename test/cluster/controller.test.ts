import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLUSTER_RULES } from '../../src/cluster/rbac.ts';
import { Room } from './room.ts';

test('the controller wakes up by a new cluster, by a Secret that it waits for, and by what becomes of its objects', async () => {
  const room = await Room.start();
  const stopping = new AbortController();
  const controller = room.controller();
  const running = controller.start(stopping.signal);
  try {
    await room.create({ version: '1.18.3', size: 1, apiKey: { secretKeyRef: { name: 'mine' } } });
    await until(async () => (await room.condition('Ready')) === 'False SecretNotFound');
    await room.putSecret('mine', { 'api-key': 'k' });
    await until(async () => (await room.condition('Ready')) === 'False Creating');
    await room.runPods(5);
    await until(async () => (await room.condition('Ready')) === 'True Ready');
  } finally {
    stopping.abort();
    await running;
    await room.stop();
  }
});

test('no right is a wildcard, and Secrets are never changed or deleted', () => {
  for (const { apiGroups, resources, verbs } of CLUSTER_RULES)
    assert.ok(![...apiGroups, ...resources, ...verbs].includes('*'));
  const secrets = CLUSTER_RULES.filter(({ resources }) => resources.includes('secrets')).flatMap(({ verbs }) => verbs);
  assert.deepEqual(secrets, ['list', 'watch', 'create']);
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await holds()) return;
    await sleep(10);
  }
  assert.fail('did not come to pass');
}
