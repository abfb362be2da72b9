import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asArray, asString, at, type JsonObject } from '../../../../sandbox/kube/json.ts';
import type { Target } from './api.ts';
import { field, world } from './world.ts';

const pod = (name: string, change: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: name } },
  spec: { containers: [{ name: 'main', image: 'example/image:1' }], ...change },
});

const READY: JsonObject = { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } };

/** Pods: binding, status, deletion with grace, eviction within a budget. */
export function pods(target: () => Target): void {
  describe('pods', () => {
    const here = world(target);

    const placed = async (name: string): Promise<void> => {
      const { api, core } = here();
      const made = await api.post(core('pods'), pod(name, { nodeName: 'contract-node' }));
      assert.equal(made.code, 201, made.text);
      await api.patch(core(`pods/${name}/status`), READY);
    };

    test('a new pod is Pending and can be selected by node', async () => {
      const { api, core } = here();
      const made = await api.post(core('pods'), pod('waiting', { nodeName: 'contract-node-2' }));
      assert.equal(field(made, 'status', 'phase'), 'Pending');
      const list = await api.get(
        `${core('pods')}?fieldSelector=${encodeURIComponent('spec.nodeName=contract-node-2,status.phase=Pending')}`,
      );
      assert.deepEqual(
        asArray(list.body['items']).map((item) => at(item, 'metadata', 'name')),
        ['waiting'],
      );
    });

    test('the spec of a pod stays as it is', async () => {
      const { api, core } = here();
      await placed('stays');
      const answer = await api.patch(core('pods/stays'), { spec: { containers: [{ name: 'other', image: 'a' }] } });
      assert.equal(answer.code, 422);
      assert.match(asString(answer.body['message']), /pod updates may not change fields other than/);
    });

    test('a deleted pod gets time to stop until its node confirms', async () => {
      const { api, core } = here();
      await placed('leaving');
      const deleted = await api.delete(core('pods/leaving'));
      assert.equal(field(deleted, 'metadata', 'deletionGracePeriodSeconds'), 30);
      assert.equal((await api.get(core('pods/leaving'))).code, 200);
      await api.delete(core('pods/leaving'), { gracePeriodSeconds: 0 });
      assert.equal((await api.get(core('pods/leaving'))).code, 404);
    });

    test('a pod without a node goes at once', async () => {
      const { api, core } = here();
      await api.post(core('pods'), pod('nowhere', { schedulerName: 'nobody' }));
      await api.delete(core('pods/nowhere'));
      assert.equal((await api.get(core('pods/nowhere'))).code, 404);
    });

    test('an eviction is refused while the budget allows none', async () => {
      const { api, core, named } = here();
      await placed('guarded');
      const budgets = named('policy/v1', 'poddisruptionbudgets');
      await api.post(budgets, {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'guard' },
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'guarded' } } },
      });
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'guarded' } };
      const status = {
        observedGeneration: 1,
        currentHealthy: 1,
        desiredHealthy: 1,
        expectedPods: 1,
        disruptionsAllowed: 0,
      };
      await api.patch(`${budgets}/guard/status`, { status });
      const refused = await api.post(core('pods/guarded/eviction'), eviction);
      assert.equal(refused.code, 429);
      assert.equal(refused.body['reason'], 'TooManyRequests');
      assert.equal(refused.body['message'], "Cannot evict pod as it would violate the pod's disruption budget.");
      assert.equal(at(asArray(field(refused, 'details', 'causes'))[0], 'reason'), 'DisruptionBudget');
      await api.patch(`${budgets}/guard/status`, { status: { ...status, desiredHealthy: 0, disruptionsAllowed: 1 } });
      assert.equal((await api.post(core('pods/guarded/eviction'), eviction)).code, 201);
      assert.notEqual(field(await api.get(core('pods/guarded')), 'metadata', 'deletionTimestamp'), undefined);
      assert.equal(field(await api.get(`${budgets}/guard`), 'status', 'disruptionsAllowed'), 0);
    });
  });
}
