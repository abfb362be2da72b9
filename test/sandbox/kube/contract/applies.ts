import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asArray, asString, at, type JsonObject } from '../../../../sandbox/kube/json.ts';
import type { Answer, Target } from './api.ts';
import { configMap, field, statefulSet, versionOf, world } from './world.ts';

const managers = (answer: Answer): string[] =>
  asArray(field(answer, 'metadata', 'managedFields')).map(
    (entry) =>
      `${asString(at(entry, 'manager'))} ${asString(at(entry, 'operation'))}${at(entry, 'subresource') === undefined ? '' : ` ${asString(at(entry, 'subresource'))}`}`,
  );

const fieldsOf = (answer: Answer, manager: string): unknown => {
  const entry = asArray(field(answer, 'metadata', 'managedFields')).find((item) => at(item, 'manager') === manager);
  return at(entry, 'fieldsV1');
};

/** Server-side apply. */
export function applies(target: () => Target): void {
  describe('server-side apply', () => {
    const here = world(target);

    test('creates, records what the manager set, and changes nothing the second time', async () => {
      const { api, core } = here();
      const path = core('configmaps/applied');
      const config = configMap('applied', { a: '1' }, { labels: { x: 'y' } });
      const made = await api.apply(path, config, 'one');
      assert.equal(made.code, 201);
      assert.deepEqual(managers(made), ['one Apply']);
      assert.deepEqual(fieldsOf(made, 'one'), { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:x': {} } } });
      const again = await api.apply(path, config, 'one');
      assert.equal(again.code, 200);
      assert.equal(versionOf(again), versionOf(made));
    });

    test('two managers merge their fields, and each takes away only its own', async () => {
      const { api, core } = here();
      const path = core('configmaps/shared');
      await api.apply(path, configMap('shared', { a: '1', both: 'b' }), 'one');
      const merged = await api.apply(path, configMap('shared', { c: '3', both: 'b' }), 'two');
      assert.deepEqual(merged.body['data'], { a: '1', both: 'b', c: '3' });
      const less = await api.apply(path, configMap('shared', {}), 'one');
      assert.deepEqual(less.body['data'], { both: 'b', c: '3' });
    });

    test('a conflict names manager and field, and force takes the field over', async () => {
      const { api, core } = here();
      const path = core('configmaps/fought');
      await api.apply(path, configMap('fought', { a: '1' }), 'one');
      const refused = await api.apply(path, configMap('fought', { a: '2' }), 'two');
      assert.equal(refused.code, 409);
      assert.equal(refused.body['reason'], 'Conflict');
      assert.equal(refused.body['message'], 'Apply failed with 1 conflict: conflict with "one": .data.a');
      assert.deepEqual(field(refused, 'details', 'causes'), [
        { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
      ]);
      const forced = await api.apply(path, configMap('fought', { a: '2' }), 'two', true);
      assert.deepEqual(forced.body['data'], { a: '2' });
      assert.deepEqual(managers(forced), ['two Apply']);
    });

    test('an update takes a field from its applier, who gets a conflict', async () => {
      const { api, core } = here();
      const path = core('configmaps/updated');
      await api.apply(path, configMap('updated', { a: '1' }), 'one');
      const updated = await api.send('PATCH', `${path}?fieldManager=hand`, {
        body: { data: { a: '2' } },
        type: 'application/merge-patch+json',
      });
      assert.deepEqual(managers(updated), ['hand Update']);
      const refused = await api.apply(path, configMap('updated', { a: '1' }), 'one');
      assert.equal(refused.code, 409);
      assert.match(asString(refused.body['message']), /conflict with "hand" using v1/);
    });

    test('lists with keys merge item by item', async () => {
      const { api, named } = here();
      const path = named('apps/v1', 'statefulsets/keyed');
      const made = await api.apply(path, statefulSet('keyed'), 'one');
      assert.equal(made.code, 201, made.text);
      const side: JsonObject = {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'keyed' },
        spec: { template: { spec: { containers: [{ name: 'side', image: 'side:1' }] } } },
      };
      const added = await api.apply(path, side, 'two');
      assert.equal(added.code, 200, added.text);
      assert.equal(asArray(field(added, 'spec', 'template', 'spec', 'containers')).length, 2);
      const again = await api.apply(path, statefulSet('keyed'), 'one');
      assert.equal(versionOf(again), versionOf(added));
      const removed = await api.apply(path, { ...side, spec: {} }, 'two');
      const names = asArray(field(removed, 'spec', 'template', 'spec', 'containers')).map((item) => at(item, 'name'));
      assert.deepEqual(names, ['qdrant']);
    });

    test('status is applied through its subresource, by a manager of its own', async () => {
      const { api, named } = here();
      const path = named('apps/v1', 'statefulsets/stated');
      await api.apply(path, statefulSet('stated'), 'spec');
      const status = {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'stated' },
        status: { replicas: 2 },
      };
      const first = await api.apply(`${path}/status`, status, 'state');
      assert.equal(field(first, 'status', 'replicas'), 2);
      assert.deepEqual(managers(first), ['spec Apply', 'state Apply status']);
      const again = await api.apply(`${path}/status`, status, 'state');
      assert.equal(versionOf(again), versionOf(first));
    });

    test('an apply must name its manager, and only fields that exist', async () => {
      const { api, core } = here();
      const path = core('configmaps/named');
      const nameless = await api.send('PATCH', path, {
        body: configMap('named'),
        type: 'application/apply-patch+yaml',
      });
      assert.equal(nameless.code, 422);
      assert.match(asString(nameless.body['message']), /fieldManager: Required value/);
      const odd = await api.apply(path, { ...configMap('named'), bogus: 1 }, 'one');
      assert.equal(odd.code, 500);
      assert.match(asString(odd.body['message']), /\.bogus: field not declared in schema/);
    });
  });
}
