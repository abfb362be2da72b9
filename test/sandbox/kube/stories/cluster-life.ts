import { asArray, at, type JsonObject, omit, textOf } from '../../../../sandbox/kube/json.ts';
import { MERGE } from '../contract/api.ts';
import { configMap, versionOf } from '../contract/world.ts';
import { undescribed } from './answers.ts';
import { TABLE } from './kinds.ts';
import type { Story } from './story.ts';

const RBAC = 'rbac.authorization.k8s.io';

const event = (namespace: string, change: JsonObject = {}): JsonObject => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'docs.1' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  type: 'Normal',
  reason: 'KeysGenerated',
  action: 'Create',
  note: 'Secret docs-apikey',
  reportingController: 'qdrant-librarian.io/operator',
  reportingInstance: 'operator-0',
  regarding: { apiVersion: 'qdrant-librarian.io/v1alpha1', kind: 'QdrantCluster', name: 'docs', namespace },
  ...change,
});

/** Events of the new group, as both groups show them. */
export const events: Story = {
  name: 'events',
  tell: async (teller) => {
    const path = teller.named('events.k8s.io/v1', 'events');
    const { namespace } = teller;
    await teller.send('POST', path, { body: event(namespace) });
    await teller.send('PATCH series', `${path}/docs.1`, {
      body: { series: { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' } },
      type: MERGE,
    });
    await teller.send('GET in the old group', `${teller.core('events')}/docs.1`);
    await teller.send('GET old list by object', `${teller.core('events')}?fieldSelector=involvedObject.name%3Ddocs`, {
      look: (body) => asArray(body['items']).length,
    });
    await teller.send('GET new list by object', `${path}?fieldSelector=regarding.name%3Ddocs`, {
      look: (body) => asArray(body['items']).length,
    });
    await teller.send('PATCH note', `${path}/docs.1`, { body: { note: 'other' }, type: MERGE });
    const wrong: { readonly [name: string]: JsonObject } = {
      'no action': { action: '' },
      'no controller': { reportingController: '' },
      'no instance': { reportingInstance: '' },
      'no reason': { reason: '' },
      'an odd type': { type: 'Odd' },
      'a long note': { note: 'x'.repeat(1025) },
      'a long reason': { reason: 'x'.repeat(129) },
      'an odd controller': { reportingController: 'not a name!' },
      'no time': { eventTime: null },
      'a series of one': { series: { count: 1, lastObservedTime: '2026-01-01T00:01:00.000000Z' } },
      'another namespace': { regarding: { kind: 'QdrantCluster', name: 'docs', namespace: 'else' } },
      'no object': { regarding: {} },
    };
    for (const [name, change] of Object.entries(wrong)) {
      await teller.send(`POST ${name}`, path, {
        body: event(namespace, { metadata: { name: `docs.${name.replaceAll(' ', '-')}` }, ...change }),
        look: () => 'taken',
      });
    }
    await teller.send('POST in the old group', teller.core('events'), {
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'old' },
        involvedObject: { kind: 'Pod', name: 'p', namespace },
        reason: 'Started',
        message: 'hello',
        type: 'Normal',
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        count: 1,
        source: { component: 'kubelet' },
      },
    });
  },
};

/** What electing a leader does to its Lease. */
export const leases: Story = {
  name: 'leases',
  tell: async (teller) => {
    const path = teller.named('coordination.k8s.io/v1', 'leases');
    const lease = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'lead', ...metadata },
      spec,
    });
    const spec = {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:00:00.123456Z',
    };
    await teller.send('POST milliseconds', path, { body: lease({ ...spec, renewTime: '2026-01-01T00:00:00.123Z' }) });
    await teller.send('POST an offset', path, {
      body: lease({ ...spec, renewTime: '2026-01-01T02:00:00.123456+02:00' }, { name: 'offset' }),
    });
    const made = await teller.send('POST', path, { body: lease(spec) });
    await teller.send('PUT with the version', `${path}/lead`, {
      body: lease({ ...spec, renewTime: '2026-01-01T00:00:02.000000Z' }, { resourceVersion: versionOf(made) }),
    });
    await teller.send('PUT with the old version', `${path}/lead`, {
      body: lease({ ...spec, holderIdentity: 'b' }, { resourceVersion: versionOf(made) }),
    });
    await teller.send('PUT without a version', `${path}/lead`, { body: lease({ ...spec, holderIdentity: 'b' }) });
    await teller.send('POST no duration', path, { body: lease({ leaseDurationSeconds: 0 }, { name: 'none' }) });
    await teller.send('POST nobody', path, { body: lease({ ...spec, holderIdentity: '' }, { name: 'nobody' }) });
    await teller.send('GET table', path, { accept: TABLE, look: (body) => undescribed(body)['columnDefinitions'] });
  },
};

/** Who may do what, in the server's words. */
export const access: Story = {
  name: 'access',
  tell: async (teller) => {
    const { core, named, namespace } = teller;
    await teller.send('POST account', core('serviceaccounts'), {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'worker' } },
    });
    const answer = await teller.send('POST token', core('serviceaccounts/worker/token'), {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
      look: (body) => omit(body, 'status'),
    });
    const token = textOf(at(answer.body, 'status', 'token'));
    const rules = [
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'], verbs: ['get', 'patch'] },
      { apiGroups: [RBAC], resources: ['roles', 'rolebindings'], verbs: ['create', 'update', 'patch'] },
    ];
    await teller.send('POST role', named(`${RBAC}/v1`, 'roles'), {
      body: { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata: { name: 'reader' }, rules },
    });
    await teller.send('POST binding', named(`${RBAC}/v1`, 'rolebindings'), {
      body: {
        apiVersion: `${RBAC}/v1`,
        kind: 'RoleBinding',
        metadata: { name: 'reader' },
        roleRef: { apiGroup: RBAC, kind: 'Role', name: 'reader' },
        subjects: [{ kind: 'ServiceAccount', name: 'worker', namespace }],
      },
    });
    await teller.send('POST mine', core('configmaps'), { body: configMap('mine') });
    // The authorizer of a real server sees a new binding a moment later.
    for (let tries = 0; tries < 50; tries++) {
      if ((await teller.api.get(core('configmaps/mine'), { token })).code === 200) break;
    }
    await teller.send('GET mine', core('configmaps/mine'), { token });
    await teller.send('GET another', core('configmaps/another'), { token });
    await teller.send('GET a list', core('configmaps'), { token });
    await teller.send('GET a watch', `${core('configmaps')}?watch=1`, { token });
    await teller.send('GET of every namespace', '/apis/qdrant-librarian.io/v1alpha1/qdrantclusters', { token });
    await teller.send('POST an eviction', core('pods/p/eviction'), { token, body: {} });
    await teller.send('GET scale', named('apps/v1', 'statefulsets/p/scale'), { token });
    await teller.send('GET a node', '/api/v1/nodes/n', { token });
    await teller.send('GET metrics', '/metrics', { token });
    await teller.send('GET without a name', core('configmaps'), { token: 'x.y.z' });
    await teller.send('GET anonymously', core('configmaps'), { token: '' });
    await teller.send('GET anonymously whether it lives', '/livez', { token: '' });
    await teller.send('POST a role too strong', named(`${RBAC}/v1`, 'roles'), {
      token,
      body: {
        apiVersion: `${RBAC}/v1`,
        kind: 'Role',
        metadata: { name: 'more' },
        rules: [
          { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] },
          { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
        ],
      },
    });
    await teller.send('POST a binding too strong', named(`${RBAC}/v1`, 'rolebindings'), {
      token,
      body: {
        apiVersion: `${RBAC}/v1`,
        kind: 'RoleBinding',
        metadata: { name: 'more' },
        roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'ServiceAccount', name: 'worker', namespace }],
      },
    });
    await teller.send('PATCH the role of a binding', named(`${RBAC}/v1`, 'rolebindings/reader'), {
      body: { roleRef: { name: 'other' } },
      type: MERGE,
    });
    const review = (attributes: JsonObject): JsonObject => ({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { namespace, ...attributes } },
    });
    const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    await teller.send('POST may I get mine', reviews, {
      token,
      body: review({ verb: 'get', resource: 'configmaps', name: 'mine' }),
      look: allowed,
    });
    await teller.send('POST may I list', reviews, {
      token,
      body: review({ verb: 'list', resource: 'configmaps' }),
      look: allowed,
    });
    await teller.send('POST may I read the version', reviews, {
      token,
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { nonResourceAttributes: { path: '/version', verb: 'get' } },
      },
      look: allowed,
    });
    await teller.send('POST an empty review', reviews, {
      token,
      body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: {} },
    });
    await teller.send('POST who am I', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      token,
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
      look: (body) => ({ ...body, status: { userInfo: omitExtra(at(body, 'status', 'userInfo')) } }),
    });
  },
};

/** Of several roles that allow, a real server names any. */
const allowed = (body: JsonObject): JsonObject => ({ ...body, status: { allowed: at(body, 'status', 'allowed') } });

const omitExtra = (info: unknown): JsonObject => omit(info as JsonObject, 'extra');

/** Pods, their status, and evictions within a budget. */
export const pods: Story = {
  name: 'pods',
  tell: async (teller) => {
    const path = teller.core('pods');
    await teller.api.post(teller.core('serviceaccounts'), {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    });
    const spec: JsonObject = {
      nodeName: 'story-node',
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'main',
          image: 'example/image:1',
          args: [],
          ports: [{ containerPort: 80 }],
          readinessProbe: { httpGet: { path: '/readyz', port: 80 } },
          resources: { requests: { memory: '1024Mi', cpu: '0.5' } },
        },
      ],
      volumes: [
        { name: 'v', emptyDir: {} },
        { name: 's', secret: { secretName: 's' } },
      ],
    };
    const pod = (name: string): JsonObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: { app: name } },
      spec,
    });
    await teller.send('POST', path, { body: pod('guarded') });
    await teller.send('PATCH status', `${path}/guarded/status`, {
      body: {
        status: {
          phase: 'Running',
          podIP: '10.1.2.3',
          startTime: '2026-01-01T00:00:00Z',
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [
            {
              name: 'main',
              image: 'example/image:1',
              imageID: 'x',
              ready: true,
              restartCount: 2,
              state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
            },
          ],
        },
      },
      type: 'application/strategic-merge-patch+json',
    });
    await teller.send('GET table', `${path}?labelSelector=app%3Dguarded`, {
      accept: TABLE,
      look: (body) =>
        asArray(body['rows']).map((row) => asArray(at(row, 'cells')).filter((_, index) => index !== 3 && index !== 4)),
    });
    await teller.send('PATCH spec', `${path}/guarded`, {
      body: { spec: { serviceAccountName: 'other' } },
      type: MERGE,
    });
    await teller.send('PATCH label', `${path}/guarded`, {
      body: { metadata: { labels: { serving: 'true' }, annotations: { note: 'x' } } },
      type: MERGE,
      look: (body) => at(body, 'metadata'),
    });
    const budgets = teller.named('policy/v1', 'poddisruptionbudgets');
    await teller.send('POST budget', budgets, {
      body: {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'guard' },
        spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'guarded' } } },
      },
    });
    const status = (desiredHealthy: number, disruptionsAllowed: number): JsonObject => ({
      status: { observedGeneration: 1, currentHealthy: 1, expectedPods: 1, desiredHealthy, disruptionsAllowed },
    });
    const evict = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'guarded' } };
    await teller.send('PATCH budget', `${budgets}/guard/status`, { body: status(1, 0), type: MERGE });
    await teller.send('POST eviction against it', `${path}/guarded/eviction`, { body: evict });
    await teller.send('PATCH budget wider', `${budgets}/guard/status`, { body: status(0, 1), type: MERGE });
    await teller.send('POST eviction', `${path}/guarded/eviction`, { body: evict });
    await teller.send('GET budget after it', `${budgets}/guard`, {
      look: (body) => ({ ...omit(body['status'] as JsonObject, 'conditions', 'disruptedPods') }),
    });
    await teller.send('GET pod after it', `${path}/guarded`, {
      look: (body) => omit(body['metadata'] as JsonObject, 'managedFields'),
    });
    await teller.send('POST eviction of nobody', `${path}/nobody/eviction`, {
      body: { ...evict, metadata: { name: 'nobody' } },
    });
    await teller.send('DELETE now', `${path}/guarded`, {
      body: { gracePeriodSeconds: 0 },
      look: (body) => body['kind'],
    });
    await teller.send('GET gone', `${path}/guarded`);
  },
};
