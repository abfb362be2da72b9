import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compare, fieldsOf } from '../../../sandbox/kube/fields/collect.ts';
import { Conflict } from '../../../sandbox/kube/fields/conflict.ts';
import {
  difference,
  type FieldSet,
  fromJson,
  intersection,
  isEmpty,
  pathsOf,
  sameSet,
  toJson,
  union,
} from '../../../sandbox/kube/fields/field-set.ts';
import { mergeFields } from '../../../sandbox/kube/fields/merge.ts';
import { applyFields, trackUpdate } from '../../../sandbox/kube/fields/track.ts';
import { equal, isObject, type JsonObject } from '../../../sandbox/kube/json.ts';
import type { ManagedFieldsEntry } from '../../../sandbox/kube/objects.ts';
import type { Schema } from '../../../sandbox/kube/schema.ts';

const SCHEMA: Schema = {
  type: 'object',
  properties: {
    plain: { type: 'object', additionalProperties: { type: 'string' } },
    fixed: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: { type: 'string' } },
    words: { type: 'array', items: { type: 'string' } },
    tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    items: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, a: { type: 'integer' }, b: { type: 'integer' } },
      },
    },
  },
};

const letter = fc.constantFrom('p', 'q', 'r');
const value = fc.constantFrom('1', '2');
const number = fc.constantFrom(1, 2);
/** Containers hold something: what loses its last entry becomes null, and is refused. */
const texts = fc.dictionary(letter, value, { minKeys: 1, maxKeys: 3 });
const item = fc.record({ name: letter, a: number, b: number }, { requiredKeys: ['name'] });
const config: fc.Arbitrary<JsonObject> = fc.record(
  {
    plain: texts,
    fixed: texts,
    words: fc.array(letter, { maxLength: 2 }),
    tags: fc.uniqueArray(letter, { minLength: 1, maxLength: 3 }),
    items: fc.uniqueArray(item, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
  },
  { requiredKeys: [] },
);
const manager = fc.constantFrom('one', 'two', 'three');

type World = { readonly object: JsonObject | undefined; readonly entries: ManagedFieldsEntry[] };

const apply = (world: World, name: string, wanted: JsonObject, force = true): World => {
  const { object, entries } = applyFields(world, wanted, {
    schema: SCHEMA,
    force,
    writer: { name, operation: 'Apply', apiVersion: 'v1', subresource: '', time: '2026-01-01T00:00:00Z' },
  });
  return { object, entries };
};

const start: World = { object: undefined, entries: [] };
const steps = fc.array(fc.tuple(manager, config), { minLength: 1, maxLength: 6 });
const afterSteps = (history: readonly (readonly [string, JsonObject])[]): World =>
  history.reduce((world, [name, wanted]) => apply(world, name, wanted), start);

const owned = (world: World, name: string): FieldSet =>
  fromJson(world.entries.find((entry) => entry.manager === name)?.fieldsV1 ?? {});

describe('server-side apply', () => {
  test('applying the same twice changes nothing', () => {
    fc.assert(
      fc.property(steps, manager, config, (history, name, wanted) => {
        const once = apply(afterSteps(history), name, wanted);
        const twice = apply(once, name, wanted);
        assert.ok(equal(twice.object, once.object));
        assert.deepEqual(twice.entries, once.entries);
      }),
    );
  });

  test('what a manager applies is what stands there, and he owns exactly that', () => {
    fc.assert(
      fc.property(steps, manager, config, (history, name, wanted) => {
        const world = apply(afterSteps(history), name, wanted);
        const merged = mergeFields(world.object, wanted, SCHEMA);
        assert.ok(equal(merged, world.object));
        const set = fieldsOf(wanted, SCHEMA);
        if (set.children.size > 0) assert.ok(sameSet(owned(world, name), set));
      }),
    );
  });

  test('every field that was applied and still stands has an owner', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const world = afterSteps(history);
        const all = world.entries.map((entry) => fromJson(entry.fieldsV1)).reduce(union, fromJson({}));
        const leaves = pathsOf(fieldsOf(world.object, SCHEMA)).filter((path) => !isContainer(world.object, path));
        const known = new Set(pathsOf(all));
        for (const path of leaves) assert.ok(known.has(path) || isEmptied(world.object, path), path);
      }),
    );
  });

  test('managers with fields of their own never meet a conflict', () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const first = apply(start, 'one', { plain: prefixed('x', a) }, false);
        const second = apply(first, 'two', { plain: prefixed('y', b) }, false);
        assert.deepEqual(isObject(second.object) && second.object['plain'], {
          ...prefixed('x', a),
          ...prefixed('y', b),
        });
      }),
    );
  });

  const META: Schema = {
    type: 'object',
    properties: {
      metadata: {
        type: 'object',
        properties: { labels: { type: 'object', additionalProperties: { type: 'string' } } },
      },
      spec: {
        type: 'object',
        properties: { a: { type: 'string' }, part: { type: 'object', properties: { b: {}, c: {} } } },
      },
    },
  };
  const applyMeta = (world: World, name: string, wanted: JsonObject): JsonObject | undefined =>
    applyFields(world, wanted, {
      schema: META,
      force: true,
      writer: { name, operation: 'Apply', apiVersion: 'v1', subresource: '', time: '' },
    }).object;
  const owning = (fieldsV1: JsonObject): ManagedFieldsEntry[] => [
    { manager: 'one', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1 },
  ];

  test('a declared field goes with its defaults once nobody names anything in it', () => {
    const entries = owning({ 'f:spec': { 'f:a': {}, 'f:part': { 'f:b': {} } } });
    const object = { spec: { a: '1', part: { b: '2', c: 'default' } } };
    assert.deepEqual(applyMeta({ object, entries }, 'one', { spec: { a: '1' } }), { spec: { a: '1' } });
    const kept = applyMeta({ object, entries }, 'one', { spec: { a: '1', part: { c: '3' } } });
    assert.deepEqual(kept, { spec: { a: '1', part: { c: '3' } } });
  });

  test('metadata stays when the last label of a manager goes', () => {
    const entries = owning({ 'f:metadata': { 'f:labels': { 'f:x': {} } }, 'f:spec': { 'f:a': {} } });
    const object = { metadata: { name: 'n', finalizers: ['kept'], labels: { x: 'y' } }, spec: { a: '1' } };
    const rest = applyMeta({ object, entries }, 'one', { metadata: { name: 'n' }, spec: { a: '1' } });
    assert.deepEqual(rest, { metadata: { name: 'n', finalizers: ['kept'] }, spec: { a: '1' } });
  });

  test('without force, a field of another value that someone owns is a conflict', () => {
    const first = apply(start, 'one', { plain: { p: '1' } });
    assert.throws(() => apply(first, 'two', { plain: { p: '2' } }, false), Conflict);
    assert.doesNotThrow(() => apply(first, 'two', { plain: { p: '1' } }, false));
  });

  test('an update that changes nothing leaves managedFields as they are', () => {
    fc.assert(
      fc.property(steps, (history) => {
        const world = afterSteps(history);
        const entries = trackUpdate(world, world.object ?? {}, {
          schema: SCHEMA,
          writer: {
            name: 'hand',
            operation: 'Update',
            apiVersion: 'v1',
            subresource: '',
            time: '2027-01-01T00:00:00Z',
          },
        });
        assert.deepEqual(entries, world.entries);
      }),
    );
  });
});

const prefixed = (prefix: string, map: { [key: string]: string }): { [key: string]: string } =>
  Object.fromEntries(Object.entries(map).map(([key, text]) => [prefix + key, text]));

/** An item of a keyed list stands for its fields; containers belong to nobody once they are empty. */
const isContainer = (_object: JsonObject | undefined, path: string): boolean => path.endsWith(']');
const isEmptied = (object: JsonObject | undefined, path: string): boolean => {
  const under = object?.[path.slice(1)];
  return Array.isArray(under) ? under.length === 0 : isObject(under) && Object.keys(under).length === 0;
};

describe('field sets', () => {
  const set = config.map((wanted) => fieldsOf(wanted, SCHEMA)).filter((fields) => fields.children.size > 0);

  test('are the same after writing and reading', () => {
    fc.assert(fc.property(set, (a) => assert.ok(sameSet(fromJson(toJson(a)), a))));
  });

  test('a set is its intersection with another and the rest', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        assert.ok(sameSet(union(intersection(a, b), difference(a, b)), a));
        assert.ok(isEmpty(intersection(difference(a, b), b)));
      }),
    );
  });

  test('a comparison names what changed and what went away', () => {
    const before = { plain: { p: '1', q: '1' }, items: [{ name: 'p', a: 1 }] };
    const after = { plain: { p: '2' }, items: [{ name: 'p', a: 1 }, { name: 'q' }] };
    const { changed, removed } = compare(before, after, SCHEMA);
    assert.deepEqual(pathsOf(changed), ['.items[name="q"]', '.items[name="q"].name', '.plain.p']);
    assert.deepEqual(pathsOf(removed), ['.plain.q']);
  });
});
