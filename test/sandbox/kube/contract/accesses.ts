import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { asString, at, type JsonObject } from '../../../../sandbox/kube/json.ts';
import { type Answer, APPLY, type Target } from './api.ts';
import { configMap, field, world } from './world.ts';

const RBAC = 'rbac.authorization.k8s.io/v1';
const API_GROUP = 'rbac.authorization.k8s.io';

/** A real server's authorizer sees a change of roles a moment later. */
async function eventually(code: number, ask: () => Promise<Answer>): Promise<number> {
  let last = 0;
  for (let tries = 0; tries < 100 && last !== code; tries++) {
    last = (await ask()).code;
    if (last !== code) await sleep(20);
  }
  return last;
}

/** Who may do what. */
export function accesses(target: () => Target): void {
  describe('access', () => {
    const here = world(target);
    let token = '';

    const grant = async (name: string, rules: JsonObject[]): Promise<void> => {
      const { api, named, namespace } = here();
      await api.post(named(RBAC, 'roles'), { apiVersion: RBAC, kind: 'Role', metadata: { name }, rules });
      await api.post(named(RBAC, 'rolebindings'), {
        apiVersion: RBAC,
        kind: 'RoleBinding',
        metadata: { name },
        roleRef: { apiGroup: API_GROUP, kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name: 'worker', namespace }],
      });
    };

    before(async () => {
      const { api, core } = here();
      await api.post(core('serviceaccounts'), {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'worker' },
      });
      const answer = await api.post(core('serviceaccounts/worker/token'), {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { expirationSeconds: 3600 },
      });
      token = asString(field(answer, 'status', 'token'));
      await api.post(core('configmaps'), configMap('mine'));
      await api.post(core('configmaps'), configMap('other'));
      await grant('reader', [
        { apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'], verbs: ['get', 'patch'] },
        { apiGroups: [''], resources: ['secrets'], verbs: ['list'] },
        { apiGroups: [API_GROUP], resources: ['roles'], verbs: ['create', 'update'] },
        { apiGroups: ['apps'], resources: ['statefulsets/scale'], verbs: ['get'] },
      ]);
      await eventually(200, () => api.get(core('configmaps/mine'), { token }));
    });

    test('no token and a wrong token are Unauthorized', async () => {
      const { api, core } = here();
      for (const wrong of ['', 'x.y.z']) {
        const answer = await api.get(core('configmaps'), { token: wrong });
        assert.ok(answer.code === 401 || (wrong === '' && answer.code === 403));
      }
    });

    test('a service account knows who it is', async () => {
      const { api, namespace } = here();
      const answer = await api.post(
        '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        { token },
      );
      assert.equal(field(answer, 'status', 'userInfo', 'username'), `system:serviceaccount:${namespace}:worker`);
      const groups = field(answer, 'status', 'userInfo', 'groups');
      assert.deepEqual(groups, [
        'system:serviceaccounts',
        `system:serviceaccounts:${namespace}`,
        'system:authenticated',
      ]);
    });

    test('what no role allows is Forbidden, in words that say who, what and where', async () => {
      const { api, core, namespace } = here();
      const answer = await api.get(core('pods'), { token });
      assert.equal(answer.code, 403);
      assert.equal(answer.body['reason'], 'Forbidden');
      const user = `system:serviceaccount:${namespace}:worker`;
      assert.equal(
        answer.body['message'],
        `pods is forbidden: User "${user}" cannot list resource "pods" in API group "" in the namespace "${namespace}"`,
      );
      const cluster = await api.get('/apis/apps/v1/statefulsets', { token });
      assert.equal(
        cluster.body['message'],
        `statefulsets.apps is forbidden: User "${user}" cannot list resource "statefulsets" in API group "apps" at the cluster scope`,
      );
    });

    test('resourceNames allow one object', async () => {
      const { api, core } = here();
      assert.equal((await api.get(core('configmaps/mine'), { token })).code, 200);
      assert.equal((await api.get(core('configmaps/other'), { token })).code, 403);
      assert.equal((await api.get(core('configmaps'), { token })).code, 403);
      assert.equal((await api.get(`${core('configmaps')}?fieldSelector=metadata.name%3Dmine`, { token })).code, 403);
    });

    test('a subresource needs a rule of its own', async () => {
      const { api, named } = here();
      assert.equal((await api.get(named('apps/v1', 'statefulsets/any'), { token })).code, 403);
      assert.equal((await api.get(named('apps/v1', 'statefulsets/any/scale'), { token })).code, 404);
    });

    test('nobody grants what he does not hold', async () => {
      const { api, named } = here();
      const role = (name: string, verbs: string[]): JsonObject => ({
        apiVersion: RBAC,
        kind: 'Role',
        metadata: { name },
        rules: [{ apiGroups: [''], resources: ['secrets'], verbs }],
      });
      const more = await api.post(named(RBAC, 'roles'), role('more', ['list', 'get']), { token });
      assert.equal(more.code, 403);
      assert.match(asString(more.body['message']), /is attempting to grant RBAC permissions not currently held/);
      assert.match(asString(more.body['message']), /Resources:\["secrets"\], Verbs:\["get"\]/);
      const same = await api.post(named(RBAC, 'roles'), role('same', ['list']), { token });
      assert.equal(same.code, 201, same.text);
    });

    test('an apply that makes an object needs create beside patch', async () => {
      const { api, core } = here();
      const apply = () =>
        api.send('PATCH', `${core('configmaps/mine')}?fieldManager=contract&force=true`, {
          body: configMap('mine'),
          type: APPLY,
          token,
        });
      assert.equal((await apply()).code, 200);
      await api.delete(core('configmaps/mine'));
      assert.equal((await apply()).code, 403);
      await api.post(core('configmaps'), configMap('mine'));
    });

    test('an access review answers as the authorizer would', async () => {
      const { api, namespace } = here();
      const review = async (verb: string): Promise<unknown> => {
        const answer = await api.post(
          '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
          {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes: { namespace, verb, resource: 'secrets' } },
          },
          { token },
        );
        return at(answer.body, 'status', 'allowed');
      };
      assert.equal(await review('list'), true);
      assert.equal(await review('delete'), false);
    });

    test('a group, a role of the cluster bound in a namespace, and paths that are no resource', async () => {
      const { api, named, core, namespace } = here();
      const role = `contract-${namespace}`;
      const clusterRoles = `/apis/${RBAC}/clusterroles`;
      await api.post(clusterRoles, {
        apiVersion: RBAC,
        kind: 'ClusterRole',
        metadata: { name: role },
        rules: [
          { apiGroups: [''], resources: ['services'], verbs: ['list'] },
          { nonResourceURLs: ['/metrics/*'], verbs: ['get'] },
        ],
      });
      await api.post(named(RBAC, 'rolebindings'), {
        apiVersion: RBAC,
        kind: 'RoleBinding',
        metadata: { name: 'by-group' },
        roleRef: { apiGroup: API_GROUP, kind: 'ClusterRole', name: role },
        subjects: [{ kind: 'Group', apiGroup: API_GROUP, name: `system:serviceaccounts:${namespace}` }],
      });
      assert.equal(await eventually(200, () => api.get(core('services'), { token })), 200);
      assert.equal((await api.get('/api/v1/services', { token })).code, 403);
      assert.equal((await api.get('/metrics/x', { token })).code, 403);
      await api.delete(`${clusterRoles}/${role}`);
      assert.equal(await eventually(403, () => api.get(core('services'), { token })), 403);
    });

    test('a binding keeps its role', async () => {
      const { api, named } = here();
      const answer = await api.patch(`${named(RBAC, 'rolebindings')}/reader`, { roleRef: { name: 'other' } });
      assert.equal(answer.code, 422);
      assert.match(asString(answer.body['message']), /cannot change roleRef/);
    });

    test('everyone with a name may ask what is served', async () => {
      const { api } = here();
      for (const path of ['/version', '/api', '/apis', '/openapi/v3']) {
        assert.equal((await api.get(path, { token })).code, 200, path);
      }
    });
  });
}
