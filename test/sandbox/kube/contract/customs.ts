import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { asArray, asString, at, type JsonObject } from '../../../../sandbox/kube/json.ts';
import { Api, type Target } from './api.ts';
import { field, versionOf, world } from './world.ts';

const GROUP = 'contract.example.com';
const NAME = `shelves.${GROUP}`;

const SCHEMA: JsonObject = {
  type: 'object',
  required: ['spec'],
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      'x-kubernetes-validations': [{ rule: 'self.size <= self.limit', message: 'size must not be above limit' }],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 100 },
        limit: { type: 'integer', default: 50 },
        kind: {
          type: 'string',
          enum: ['Oak', 'Pine'],
          default: 'Pine',
          'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'kind is immutable' }],
        },
        title: { type: 'string', maxLength: 5, pattern: '^[a-z]*$' },
        tags: { type: 'array', maxItems: 2, items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        books: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, pages: { type: 'integer', default: 1 } },
          },
        },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    status: {
      type: 'object',
      properties: { full: { type: 'boolean' }, replicas: { type: 'integer' }, selector: { type: 'string' } },
    },
  },
};

const definition: JsonObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: NAME },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { kind: 'Shelf', plural: 'shelves', singular: 'shelf', shortNames: ['shf'], categories: ['furniture'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: SCHEMA },
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.size',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'First', type: 'string', jsonPath: '.spec.books[?(@.name=="a")].pages', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
      },
    ],
  },
};

const shelf = (name: string, spec: JsonObject): JsonObject => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'Shelf',
  metadata: { name },
  spec,
});

/** Kinds made by CustomResourceDefinitions. */
export function customs(target: () => Target): void {
  describe('custom kinds', () => {
    before(async () => {
      const api = new Api(target());
      await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
      // A real server serves the kind a moment after it is established.
      for (let tries = 0; tries < 100; tries++) {
        const { body } = await api.get(`/apis/${GROUP}/v1`);
        if (asArray(body['resources']).length > 0) break;
        await sleep(50);
      }
      await api.close();
    });
    after(async () => {
      const api = new Api(target());
      await api.delete(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${NAME}`);
      await api.close();
    });
    const here = world(target);
    const shelves = (rest = ''): string => here().named(`${GROUP}/v1`, `shelves${rest}`);

    test('the definition becomes established', async () => {
      const { api } = here();
      const read = await api.get(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${NAME}`);
      const conditions = asArray(field(read, 'status', 'conditions'));
      assert.ok(conditions.some((item) => at(item, 'type') === 'Established' && at(item, 'status') === 'True'));
    });

    test('defaults are set, also inside of lists, and unknown fields are pruned', async () => {
      const { api } = here();
      const made = await api.post(
        shelves(),
        shelf('defaulted', { size: 1, bogus: 2, books: [{ name: 'a' }], free: { any: 1 } }),
      );
      assert.equal(made.code, 201, made.text);
      assert.deepEqual(made.body['spec'], {
        size: 1,
        limit: 50,
        kind: 'Pine',
        books: [{ name: 'a', pages: 1 }],
        free: { any: 1 },
      });
      assert.match(made.warnings, /unknown field \\"spec\.bogus\\"/);
    });

    test('each broken rule of the schema is a cause with its field', async () => {
      const { api } = here();
      const made = await api.post(
        shelves(),
        shelf('broken', { size: 0, kind: 'Tin', title: 'Too Long', tags: ['a', 'b', 'c'] }),
      );
      assert.equal(made.code, 422);
      assert.equal(made.body['reason'], 'Invalid');
      const causes = asArray(field(made, 'details', 'causes')).map(
        (cause) => `${asString(at(cause, 'field'))} ${asString(at(cause, 'reason'))}`,
      );
      for (const expected of [
        'spec.size FieldValueInvalid',
        'spec.kind FieldValueNotSupported',
        'spec.title FieldValueTooLong',
        'spec.tags FieldValueTooMany',
      ]) {
        assert.ok(causes.includes(expected), `${expected} in ${causes.join(', ')}`);
      }
      assert.match(
        asString(made.body['message']),
        /spec\.size: Invalid value: 0: spec\.size in body should be greater than or equal to 1/,
      );
      assert.match(
        asString(made.body['message']),
        /spec\.kind: Unsupported value: "Tin": supported values: "Oak", "Pine"/,
      );
      assert.match(asString(made.body['message']), /spec\.tags: Too many: 3: must have at most 2 items/);
    });

    test('a missing field and a wrong type are named', async () => {
      const { api } = here();
      const missing = await api.post(shelves(), shelf('missing', {}));
      assert.match(asString(missing.body['message']), /spec\.size: Required value/);
      const typed = await api.post(shelves(), shelf('typed', { size: 'one' }));
      assert.match(
        asString(typed.body['message']),
        /spec\.size: Invalid value: "string": spec\.size in body must be of type integer: "string"/,
      );
    });

    test('rules in CEL hold at creation, transition rules at updates', async () => {
      const { api } = here();
      const large = await api.post(shelves(), shelf('large', { size: 60 }));
      assert.equal(large.code, 422);
      assert.match(asString(large.body['message']), /spec: Invalid value: size must not be above limit/);
      await api.post(shelves(), shelf('fixed', { size: 1, kind: 'Oak' }));
      const changed = await api.patch(shelves('/fixed'), { spec: { kind: 'Pine' } });
      assert.equal(changed.code, 422);
      assert.match(asString(changed.body['message']), /spec\.kind: Invalid value: .*: kind is immutable/);
    });

    test('status is apart, generation counts the spec, and a replace needs a resourceVersion', async () => {
      const { api } = here();
      const made = await api.post(shelves(), { ...shelf('split', { size: 1 }), status: { full: true } });
      assert.equal(made.body['status'], undefined);
      const status = await api.patch(shelves('/split/status'), { spec: { size: 9 }, status: { full: true } });
      assert.equal(field(status, 'status', 'full'), true);
      assert.equal(field(status, 'spec', 'size'), 1);
      assert.equal(field(status, 'metadata', 'generation'), 1);
      const replaced = await api.put(shelves('/split'), { ...shelf('split', { size: 2 }) });
      assert.equal(replaced.code, 422);
      assert.match(
        asString(replaced.body['message']),
        /metadata\.resourceVersion: Invalid value: .*: must be specified for an update/,
      );
    });

    test('the scale subresource works along the paths of the definition', async () => {
      const { api } = here();
      await api.post(shelves(), shelf('scaled', { size: 1 }));
      await api.patch(shelves('/scaled/status'), { status: { replicas: 1, selector: 'a=b' } });
      const scale = await api.patch(shelves('/scaled/scale'), { spec: { replicas: 3 } });
      assert.equal(field(scale, 'spec', 'replicas'), 3);
      assert.equal(field(scale, 'status', 'selector'), 'a=b');
      assert.equal(field(await api.get(shelves('/scaled')), 'spec', 'size'), 3);
      const above = await api.patch(shelves('/scaled/scale'), { spec: { replicas: 99 } });
      assert.equal(above.code, 422);
    });

    test('lists with keys merge under apply, and a second apply changes nothing', async () => {
      const { api } = here();
      await api.apply(shelves('/merged'), shelf('merged', { size: 1, books: [{ name: 'a', pages: 3 }] }), 'one');
      const both = await api.apply(shelves('/merged'), { ...shelf('merged', { books: [{ name: 'b' }] }) }, 'two');
      assert.equal(both.code, 200, both.text);
      assert.deepEqual(field(both, 'spec', 'books'), [
        { name: 'a', pages: 3 },
        { name: 'b', pages: 1 },
      ]);
      const again = await api.apply(
        shelves('/merged'),
        shelf('merged', { size: 1, books: [{ name: 'a', pages: 3 }] }),
        'one',
      );
      assert.equal(versionOf(again), versionOf(both));
      const less = await api.apply(shelves('/merged'), shelf('merged', { size: 1 }), 'one');
      assert.deepEqual(field(less, 'spec', 'books'), [{ name: 'b', pages: 1 }]);
    });

    test('a strategic merge patch is refused', async () => {
      const { api } = here();
      await api.post(shelves(), shelf('strategic', { size: 1 }));
      const answer = await api.patch(shelves('/strategic'), {}, 'application/strategic-merge-patch+json');
      assert.equal(answer.code, 415);
    });

    test('tables have the columns of the definition', async () => {
      const { api } = here();
      await api.post(shelves(), shelf('tabled', { size: 7, books: [{ name: 'a', pages: 5 }] }));
      const answer = await api.get(`${shelves('/tabled')}`, {
        accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
      });
      assert.equal(answer.body['kind'], 'Table');
      assert.deepEqual(
        asArray(answer.body['columnDefinitions']).map((column) => at(column, 'name')),
        ['Name', 'Size', 'First', 'Age'],
      );
      const cells = asArray(at(asArray(answer.body['rows'])[0], 'cells'));
      assert.deepEqual(cells.slice(0, 2), ['tabled', 7]);
      assert.ok(cells[2] === 5 || cells[2] === '5');
    });

    test('a definition with a broken schema is refused', async () => {
      const { api } = here();
      const refused = async (openAPIV3Schema: JsonObject): Promise<string> => {
        const answer = await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
          ...definition,
          metadata: { name: `bad.${GROUP}` },
          spec: {
            group: GROUP,
            scope: 'Namespaced',
            names: { kind: 'Bad', plural: 'bad' },
            versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
          },
        });
        assert.equal(answer.code, 422, answer.text);
        return asString(answer.body['message']);
      };
      const root = (property: JsonObject): JsonObject => ({ type: 'object', properties: { a: property } });
      assert.match(await refused(root({})), /properties\[a\]\.type: Required value/);
      assert.match(
        await refused(root({ type: 'array', items: { type: 'string' }, uniqueItems: true })),
        /uniqueItems: Forbidden/,
      );
      assert.match(await refused(root({ type: 'integer', default: 'x' })), /properties\[a\]\.default/);
      const keyed = { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] };
      const items = { type: 'object', properties: { name: { type: 'string' } } };
      assert.match(await refused(root({ ...keyed, items })), /must have a default or be a required property/);
    });

    test('discovery names short names, categories and subresources', async () => {
      const { api } = here();
      const answer = await api.get(`/apis/${GROUP}/v1`);
      const resources = asArray(answer.body['resources']);
      const kind = resources.find((item) => at(item, 'name') === 'shelves');
      assert.deepEqual(at(kind, 'shortNames'), ['shf']);
      assert.deepEqual(at(kind, 'categories'), ['furniture']);
      assert.deepEqual(resources.map((item) => asString(at(item, 'name'))).toSorted(), [
        'shelves',
        'shelves/scale',
        'shelves/status',
      ]);
    });
  });
}
