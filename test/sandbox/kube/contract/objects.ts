import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asArray, asString, at, isObject, type JsonObject } from '../../../../sandbox/kube/json.ts';
import type { Target } from './api.ts';
import { configMap, field, nameOf, statefulSet, versionOf, world } from './world.ts';

/** Creating, reading, changing and deleting objects. */
export function objects(target: () => Target): void {
  describe('objects', () => {
    const here = world(target);

    test('a created object gets uid, resourceVersion and creationTimestamp', async () => {
      const { api, core, namespace } = here();
      const made = await api.post(core('configmaps'), configMap('first', { a: '1' }));
      assert.equal(made.code, 201);
      assert.equal(field(made, 'metadata', 'namespace'), namespace);
      assert.match(asString(field(made, 'metadata', 'uid')), /^[0-9a-f-]{36}$/);
      assert.match(asString(field(made, 'metadata', 'creationTimestamp')), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.notEqual(versionOf(made), '');
      const read = await api.get(core('configmaps/first'));
      assert.deepEqual(read.body, made.body);
    });

    test('generateName adds five characters', async () => {
      const { api, core } = here();
      const made = await api.post(core('configmaps'), configMap('', {}, { generateName: 'made-' }));
      assert.match(nameOf(made), /^made-[a-z0-9]{5}$/);
    });

    test('an existing name is AlreadyExists, a missing object is NotFound', async () => {
      const { api, core } = here();
      await api.post(core('configmaps'), configMap('twice'));
      const again = await api.post(core('configmaps'), configMap('twice'));
      assert.equal(again.code, 409);
      assert.equal(again.body['reason'], 'AlreadyExists');
      assert.equal(again.body['message'], 'configmaps "twice" already exists');
      const missing = await api.get(core('configmaps/nobody'));
      assert.equal(missing.code, 404);
      assert.equal(missing.body['reason'], 'NotFound');
      assert.equal(missing.body['message'], 'configmaps "nobody" not found');
      assert.deepEqual(missing.body['details'], { name: 'nobody', kind: 'configmaps' });
    });

    test('nothing is created in a namespace that does not exist', async () => {
      const { api } = here();
      const answer = await api.post('/api/v1/namespaces/no-such-place/configmaps', configMap('a'));
      assert.equal(answer.code, 404);
      assert.equal(answer.body['message'], 'namespaces "no-such-place" not found');
    });

    test('names and labels are checked', async () => {
      const { api, core } = here();
      const name = await api.post(core('configmaps'), configMap('Not_A_Name'));
      assert.equal(name.code, 422);
      assert.equal(name.body['reason'], 'Invalid');
      assert.equal(asString(at(asArray(field(name, 'details', 'causes'))[0], 'field')), 'metadata.name');
      const label = await api.post(core('configmaps'), configMap('labelled', {}, { labels: { a: 'x'.repeat(64) } }));
      assert.equal(label.code, 422);
    });

    test('a replace with an old resourceVersion is a Conflict', async () => {
      const { api, core } = here();
      const made = await api.post(core('configmaps'), configMap('raced'));
      await api.patch(core('configmaps/raced'), { data: { a: '1' } });
      const late = await api.put(core('configmaps/raced'), { ...made.body, data: { a: '2' } });
      assert.equal(late.code, 409);
      assert.equal(late.body['reason'], 'Conflict');
      assert.equal(
        late.body['message'],
        'Operation cannot be fulfilled on configmaps "raced": the object has been modified; please apply your changes to the latest version and try again',
      );
    });

    test('a write that changes nothing keeps the resourceVersion', async () => {
      const { api, core } = here();
      const made = await api.post(core('configmaps'), configMap('same', { a: '1' }));
      const patched = await api.patch(core('configmaps/same'), { data: { a: '1' } });
      const replaced = await api.put(core('configmaps/same'), made.body);
      assert.equal(versionOf(patched), versionOf(made));
      assert.equal(versionOf(replaced), versionOf(made));
    });

    test('generation counts changes of the spec only, status is changed through its subresource only', async () => {
      const { api, named } = here();
      const path = named('apps/v1', 'statefulsets');
      const made = await api.post(path, { ...statefulSet('counted'), status: { replicas: 7 } });
      assert.equal(field(made, 'metadata', 'generation'), 1);
      assert.equal(field(made, 'status', 'replicas'), 0);
      const labelled = await api.patch(`${path}/counted`, {
        metadata: { labels: { a: 'b' } },
        status: { replicas: 7 },
      });
      assert.equal(field(labelled, 'metadata', 'generation'), 1);
      assert.equal(field(labelled, 'status', 'replicas'), 0);
      const scaled = await api.patch(`${path}/counted`, { spec: { replicas: 2 } });
      assert.equal(field(scaled, 'metadata', 'generation'), 2);
      const status = await api.patch(`${path}/counted/status`, { spec: { replicas: 9 }, status: { replicas: 2 } });
      assert.equal(field(status, 'metadata', 'generation'), 2);
      assert.equal(field(status, 'spec', 'replicas'), 2);
      assert.equal(field(status, 'status', 'replicas'), 2);
    });

    test('built-in defaults are filled in and quantities are written in their short form', async () => {
      const { api, named, core } = here();
      const made = await api.post(named('apps/v1', 'statefulsets'), statefulSet('defaulted'));
      assert.equal(field(made, 'spec', 'podManagementPolicy'), 'OrderedReady');
      const container = asArray(field(made, 'spec', 'template', 'spec', 'containers'))[0];
      assert.equal(at(container, 'imagePullPolicy'), 'IfNotPresent');
      assert.equal(at(container, 'resources', 'requests', 'memory'), '1Gi');
      assert.equal(at(asArray(at(container, 'ports'))[0], 'protocol'), 'TCP');
      const secret = await api.post(core('secrets'), {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'plain' },
        stringData: { key: 'value' },
      });
      assert.deepEqual(secret.body['data'], { key: Buffer.from('value').toString('base64') });
      assert.equal(secret.body['stringData'], undefined);
    });

    test('what a workload must not change is refused', async () => {
      const { api, named, core } = here();
      const path = named('apps/v1', 'statefulsets');
      await api.post(path, statefulSet('fixed'));
      const other = await api.patch(`${path}/fixed`, { spec: { serviceName: 'other' } });
      assert.equal(other.code, 422);
      assert.match(
        asString(other.body['message']),
        /^StatefulSet\.apps "fixed" is invalid: spec: Forbidden: updates to statefulset spec/,
      );
      await api.post(core('secrets'), {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'frozen' },
        immutable: true,
        data: { a: 'YQ==' },
      });
      const changed = await api.patch(core('secrets/frozen'), { data: { a: 'Yg==' } });
      assert.equal(changed.code, 422);
      assert.match(asString(changed.body['message']), /data: Forbidden: field is immutable when `immutable` is set/);
    });

    test('unknown fields warn, are refused on demand, and are never stored', async () => {
      const { api, core } = here();
      const body = { ...configMap('odd'), bogus: 1 };
      const strict = await api.post(`${core('configmaps')}?fieldValidation=Strict`, body);
      assert.equal(strict.code, 400);
      assert.match(asString(strict.body['message']), /strict decoding error: unknown field "bogus"/);
      const warned = await api.post(`${core('configmaps')}?fieldValidation=Warn`, body);
      assert.equal(warned.code, 201);
      assert.match(warned.warnings, /unknown field \\"bogus\\"/);
      assert.equal(warned.body['bogus'], undefined);
    });

    test('a wrong type in a built-in kind is a BadRequest that names the field', async () => {
      const { api, named } = here();
      const answer = await api.post(named('apps/v1', 'statefulsets'), statefulSet('typed', { replicas: 'three' }));
      assert.equal(answer.code, 400);
      assert.match(
        asString(answer.body['message']),
        /cannot unmarshal string into Go struct field StatefulSetSpec\.spec\.replicas of type int32/,
      );
    });

    test('a dry run answers and stores nothing', async () => {
      const { api, core } = here();
      const answer = await api.post(`${core('configmaps')}?dryRun=All`, configMap('dry'));
      assert.equal(answer.code, 201);
      assert.equal((await api.get(core('configmaps/dry'))).code, 404);
    });

    test('finalizers hold a deleted object until they are taken off', async () => {
      const { api, core } = here();
      const path = core('configmaps/held');
      await api.post(core('configmaps'), configMap('held', {}, { finalizers: ['example.com/hold'] }));
      const deleted = await api.delete(path);
      assert.equal(deleted.code, 200);
      assert.notEqual(field(deleted, 'metadata', 'deletionTimestamp'), undefined);
      const added = await api.patch(path, { metadata: { finalizers: ['example.com/hold', 'example.com/more'] } });
      assert.equal(added.code, 422);
      assert.equal((await api.patch(path, { metadata: { finalizers: null } })).code, 200);
      assert.equal((await api.get(path)).code, 404);
    });

    test('a deletion says what is gone, and its preconditions must hold', async () => {
      const { api, core } = here();
      const made = await api.post(core('configmaps'), configMap('gone'));
      const uid = asString(field(made, 'metadata', 'uid'));
      const other = await api.delete(core('configmaps/gone'), { preconditions: { uid: 'other' } });
      assert.equal(other.code, 409);
      const stale = await api.delete(core('configmaps/gone'), { preconditions: { resourceVersion: '1' } });
      assert.equal(stale.code, 409);
      const deleted = await api.delete(core('configmaps/gone'), { preconditions: { uid } });
      assert.equal(deleted.body['status'], 'Success');
      assert.deepEqual(deleted.body['details'], { name: 'gone', kind: 'configmaps', uid });
    });

    test('the wish for owned objects is kept as a finalizer for the garbage collector', async () => {
      const { api, named } = here();
      const path = named('apps/v1', 'statefulsets');
      await api.post(path, statefulSet('owner'));
      const deleted = await api.delete(`${path}/owner`, { propagationPolicy: 'Foreground' });
      assert.deepEqual(field(deleted, 'metadata', 'finalizers'), ['foregroundDeletion']);
    });

    test('lists are paged, every page of the same moment', async () => {
      const { api, core } = here();
      for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) {
        await api.post(core('configmaps'), configMap(name, {}, { labels: { page: 'yes' } }));
      }
      const path = `${core('configmaps')}?labelSelector=page%3Dyes&limit=2`;
      const first = await api.get(path);
      await api.delete(core('configmaps/p4'));
      await api.post(core('configmaps'), configMap('p6', {}, { labels: { page: 'yes' } }));
      const token = asString(field(first, 'metadata', 'continue'));
      const second = await api.get(`${path}&continue=${encodeURIComponent(token)}`);
      const third = await api.get(
        `${path}&continue=${encodeURIComponent(asString(field(second, 'metadata', 'continue')))}`,
      );
      const names = [first, second, third].flatMap((page) =>
        asArray(page.body['items']).map((item) => at(item, 'metadata', 'name')),
      );
      assert.deepEqual(names, ['p1', 'p2', 'p3', 'p4', 'p5']);
      assert.equal(field(first, 'metadata', 'resourceVersion'), field(second, 'metadata', 'resourceVersion'));
      assert.equal(field(third, 'metadata', 'continue'), undefined);
    });

    test('a continue token from before a compaction is Expired', async (context) => {
      const { api, core, target: server } = here();
      if (server.compact === undefined) return context.skip('this server can not be told to compact');
      for (const name of ['c1', 'c2'])
        await api.post(core('configmaps'), configMap(name, {}, { labels: { cut: 'yes' } }));
      const path = `${core('configmaps')}?labelSelector=cut%3Dyes&limit=1`;
      const token = asString(field(await api.get(path), 'metadata', 'continue'));
      await api.post(core('configmaps'), configMap('c3'));
      await server.compact();
      const answer = await api.get(`${path}&continue=${encodeURIComponent(token)}`);
      assert.equal(answer.code, 410);
      assert.equal(answer.body['reason'], 'Expired');
    });

    test('label and field selectors select', async () => {
      const { api, core } = here();
      await api.post(core('configmaps'), configMap('s1', {}, { labels: { tier: 'a' } }));
      await api.post(core('configmaps'), configMap('s2', {}, { labels: { tier: 'b' } }));
      await api.post(core('configmaps'), configMap('s3', {}, { labels: { tier: 'c', extra: '' } }));
      const names = async (query: string): Promise<unknown[]> => {
        const answer = await api.get(`${core('configmaps')}?${query}`);
        return asArray(answer.body['items']).map((item) => at(item, 'metadata', 'name'));
      };
      const labels = (selector: string): Promise<unknown[]> => names(`labelSelector=${encodeURIComponent(selector)}`);
      assert.deepEqual(await labels('tier=a'), ['s1']);
      assert.deepEqual(await labels('tier in (a,b)'), ['s1', 's2']);
      assert.deepEqual(await labels('tier,tier notin (a,b)'), ['s3']);
      assert.deepEqual(await labels('tier,!extra'), ['s1', 's2']);
      assert.deepEqual(await labels('tier!=a,extra'), ['s3']);
      assert.deepEqual(await names('fieldSelector=metadata.name%3Ds2'), ['s2']);
      const unknown = await api.get(`${core('configmaps')}?fieldSelector=data.x%3D1`);
      assert.equal(unknown.code, 400);
      assert.match(asString(unknown.body['message']), /"data\.x" is not a known field selector/);
    });

    test('a list names its kind, and items of built-in kinds do not', async () => {
      const { api, core } = here();
      const answer = await api.get(core('configmaps'));
      assert.equal(answer.body['kind'], 'ConfigMapList');
      const [first] = asArray(answer.body['items']);
      assert.ok(isObject(first));
      assert.equal(first['kind'], undefined);
    });

    test('events are seen through both of their groups', async () => {
      const { api, core, named, namespace } = here();
      const made = await api.post(named('events.k8s.io/v1', 'events'), {
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { name: 'both' },
        eventTime: '2026-01-01T00:00:00.000000Z',
        type: 'Normal',
        reason: 'Tested',
        action: 'Testing',
        note: 'seen twice',
        reportingController: 'contract',
        reportingInstance: 'contract-0',
        regarding: { kind: 'ConfigMap', name: 'first', namespace },
      });
      assert.equal(made.code, 201, made.text);
      const old = await api.get(`${core('events')}?fieldSelector=involvedObject.name%3Dfirst`);
      const [event] = asArray(old.body['items']);
      assert.equal(at(event, 'message'), 'seen twice');
      assert.equal(at(event, 'reportingComponent'), 'contract');
      assert.equal(at(event, 'involvedObject', 'name'), 'first');
    });

    test('an event says who reported what, about an object of a namespace', async () => {
      const { api, named, namespace } = here();
      const event = (change: JsonObject): JsonObject => ({
        apiVersion: 'events.k8s.io/v1',
        kind: 'Event',
        metadata: { generateName: 'event-' },
        eventTime: '2026-01-01T00:00:00.000000Z',
        type: 'Normal',
        reason: 'Tested',
        action: 'Testing',
        reportingController: 'contract',
        reportingInstance: 'contract-0',
        regarding: { kind: 'ConfigMap', name: 'first', namespace },
        ...change,
      });
      const post = async (change: JsonObject): Promise<number> =>
        (await api.post(named('events.k8s.io/v1', 'events'), event(change))).code;
      assert.equal(await post({}), 201);
      assert.equal(await post({ action: '' }), 422);
      assert.equal(await post({ reportingController: '' }), 422);
      assert.equal(await post({ type: 'Odd' }), 422);
      assert.equal(await post({ note: 'x'.repeat(1025) }), 422);
      assert.equal(await post({ regarding: { kind: 'ConfigMap', name: 'first' } }), 422);
      assert.equal(await post({ regarding: { kind: 'ConfigMap', name: 'first', namespace: 'elsewhere' } }), 201);
    });

    test('only one owner is the controller, and owners are complete', async () => {
      const { api, core } = here();
      const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: '1', controller: true };
      const two = await api.post(
        core('configmaps'),
        configMap('owned', {}, { ownerReferences: [owner, { ...owner, name: 'b', uid: '2' }] }),
      );
      assert.equal(two.code, 422);
      assert.match(asString(two.body['message']), /Only one reference can have Controller set to true/);
      const partial = await api.post(
        core('configmaps'),
        configMap('owned', {}, { ownerReferences: [{ ...owner, uid: '' }] }),
      );
      assert.equal(partial.code, 422);
    });

    test('empty lists and maps of built-in kinds are left out, empty structs stay', async () => {
      const { api, core } = here();
      const made = await api.post(core('pods'), {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'empty', labels: {} },
        spec: {
          schedulerName: 'nobody',
          containers: [{ name: 'main', image: 'a:1', args: [], env: [] }],
          volumes: [{ name: 'v', emptyDir: {} }],
          nodeSelector: {},
        },
      });
      const [container] = asArray(field(made, 'spec', 'containers'));
      assert.equal(at(container, 'args'), undefined);
      assert.equal(field(made, 'metadata', 'labels'), undefined);
      assert.equal(field(made, 'spec', 'nodeSelector'), undefined);
      const volume = asArray(field(made, 'spec', 'volumes')).find((item) => at(item, 'name') === 'v');
      assert.deepEqual(volume, { name: 'v', emptyDir: {} });
    });

    test('a collection is deleted by selector', async () => {
      const { api, core } = here();
      for (const name of ['d1', 'd2'])
        await api.post(core('configmaps'), configMap(name, {}, { labels: { drop: 'yes' } }));
      await api.post(core('configmaps'), configMap('d3', {}, { labels: { drop: 'no' } }));
      assert.equal((await api.delete(`${core('configmaps')}?labelSelector=drop%3Dyes`)).code, 200);
      assert.equal((await api.get(core('configmaps/d1'))).code, 404);
      assert.equal((await api.get(core('configmaps/d3'))).code, 200);
    });

    test('an object is not created with a resourceVersion, nor under another name, kind or namespace', async () => {
      const { api, core } = here();
      const post = async (body: JsonObject): Promise<number> => (await api.post(core('configmaps'), body)).code;
      assert.notEqual(await post(configMap('versioned', {}, { resourceVersion: '5' })), 201);
      assert.equal(await post({ ...configMap('kind'), kind: 'Secret' }), 400);
      assert.equal(await post({ ...configMap('group'), apiVersion: 'v2' }), 400);
      assert.equal(await post(configMap('elsewhere', {}, { namespace: 'default' })), 400);
      const named = await api.put(core('configmaps/first'), configMap('second'));
      assert.equal(named.code, 400);
    });

    test('a micro time needs six digits', async () => {
      const { api, named } = here();
      const lease = (renewTime: string) => ({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'timed' },
        spec: { holderIdentity: 'me', renewTime },
      });
      const path = named('coordination.k8s.io/v1', 'leases');
      assert.equal((await api.post(path, lease('2026-01-01T00:00:00.123Z'))).code, 400);
      assert.equal((await api.post(path, lease('2026-01-01T00:00:00.123456Z'))).code, 201);
    });
  });
}
