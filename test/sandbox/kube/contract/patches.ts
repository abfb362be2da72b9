import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asArray, asString, at } from '../../../../sandbox/kube/json.ts';
import { JSON_PATCH, STRATEGIC, type Target } from './api.ts';
import { configMap, field, statefulSet, world } from './world.ts';

/** JSON, merge and strategic merge patches; the scale subresource. */
export function patches(target: () => Target): void {
  describe('patches', () => {
    const here = world(target);

    test('a merge patch removes with null and replaces lists', async () => {
      const { api, core } = here();
      await api.post(core('configmaps'), configMap('merged', { a: '1', b: '2' }));
      const answer = await api.patch(core('configmaps/merged'), { data: { a: null, c: '3' } });
      assert.deepEqual(answer.body['data'], { b: '2', c: '3' });
    });

    test('a JSON patch applies all or nothing', async () => {
      const { api, core } = here();
      await api.post(core('configmaps'), configMap('json', { a: '1' }, { labels: { old: '1' } }));
      const path = core('configmaps/json');
      const done = await api.patch(
        path,
        [
          { op: 'test', path: '/data/a', value: '1' },
          { op: 'add', path: '/metadata/labels/example.com~1b', value: '2' },
          { op: 'remove', path: '/metadata/labels/old' },
        ],
        JSON_PATCH,
      );
      assert.deepEqual(field(done, 'metadata', 'labels'), { 'example.com/b': '2' });
    });

    test('a JSON patch whose test fails changes nothing and is Invalid', async () => {
      const { api, core } = here();
      await api.post(core('configmaps'), configMap('tested', { a: '1' }));
      const path = core('configmaps/tested');
      const refused = await api.patch(
        path,
        [
          { op: 'replace', path: '/data/a', value: '2' },
          { op: 'test', path: '/data/a', value: '1' },
        ],
        JSON_PATCH,
      );
      assert.equal(refused.code, 422);
      assert.equal(refused.body['reason'], 'Invalid');
      assert.deepEqual((await api.get(path)).body['data'], { a: '1' });
    });

    test('a patch that names an old resourceVersion is a Conflict', async () => {
      const { api, core } = here();
      await api.post(core('configmaps'), configMap('versioned'));
      const answer = await api.patch(core('configmaps/versioned'), {
        metadata: { resourceVersion: '1' },
        data: { a: '1' },
      });
      assert.equal(answer.code, 409);
    });

    test('a strategic merge patch merges containers by name and deletes on demand', async () => {
      const { api, named } = here();
      const path = named('apps/v1', 'statefulsets');
      await api.post(path, statefulSet('strategic'));
      const added = await api.patch(
        `${path}/strategic`,
        {
          spec: {
            template: {
              spec: {
                containers: [
                  { name: 'qdrant', env: [{ name: 'A', value: '1' }] },
                  { name: 'side', image: 'side:1' },
                ],
              },
            },
          },
        },
        STRATEGIC,
      );
      const containers = asArray(field(added, 'spec', 'template', 'spec', 'containers'));
      assert.deepEqual(containers.map((item) => asString(at(item, 'name'))).toSorted(), ['qdrant', 'side']);
      const qdrant = containers.find((item) => at(item, 'name') === 'qdrant');
      assert.equal(at(qdrant, 'image'), 'qdrant/qdrant:v1.18.3');
      const removed = await api.patch(
        `${path}/strategic`,
        {
          spec: { template: { spec: { containers: [{ name: 'side', $patch: 'delete' }] } } },
        },
        STRATEGIC,
      );
      assert.equal(asArray(field(removed, 'spec', 'template', 'spec', 'containers')).length, 1);
    });

    test('the scale subresource reads and writes the number of replicas', async () => {
      const { api, named } = here();
      const path = named('apps/v1', 'statefulsets');
      await api.post(path, statefulSet('scaled'));
      const scale = await api.get(`${path}/scaled/scale`);
      assert.equal(scale.body['kind'], 'Scale');
      assert.deepEqual(scale.body['spec'], {}, 'no replicas are left out');
      assert.equal(field(scale, 'status', 'selector'), 'app=scaled');
      const written = await api.patch(`${path}/scaled/scale`, { spec: { replicas: 3 } });
      assert.equal(field(written, 'spec', 'replicas'), 3);
      const read = await api.get(`${path}/scaled`);
      assert.equal(field(read, 'spec', 'replicas'), 3);
      assert.equal(field(read, 'metadata', 'generation'), 2);
      const negative = await api.patch(`${path}/scaled/scale`, { spec: { replicas: -1 } });
      assert.equal(negative.code, 422);
    });

    test('an unknown kind of patch is UnsupportedMediaType', async () => {
      const { api, core } = here();
      await api.post(core('configmaps'), configMap('media'));
      const answer = await api.patch(core('configmaps/media'), {}, 'text/plain');
      assert.equal(answer.code, 415);
      assert.equal(asString(answer.body['reason']), 'UnsupportedMediaType');
    });
  });
}
