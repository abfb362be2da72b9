import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ApiError,
  applySchemaDefaults,
  evaluateRules,
  pruneUnknown,
  type StructuralSchema,
  validateStructural,
} from '../../src/api/index.ts';

/** A schema of another operator: nothing here knows the four kinds. */
const field = (schema: StructuralSchema): StructuralSchema => ({ type: 'object', properties: { spec: schema } });
const text: StructuralSchema = { type: 'string' };
const integer: StructuralSchema = { type: 'integer' };
const withRule = (schema: StructuralSchema, rule: string, more: object = {}): StructuralSchema => ({
  ...schema,
  'x-kubernetes-validations': [{ rule, message: 'broken', ...more }],
});
const holds = (schema: StructuralSchema, rule: string, spec: unknown, old?: unknown): boolean =>
  evaluateRules(field(withRule(schema, rule)), { spec }, old === undefined ? undefined : { spec: old }).length === 0;

test('integers are ints, numbers are doubles, times are timestamps', () => {
  assert.ok(holds(integer, 'type(self) == int', 1));
  assert.ok(holds({ type: 'number' }, 'type(self) == double', 1));
  assert.ok(
    holds({ ...text, format: 'date-time' }, "self > timestamp('2026-01-01T00:00:00Z')", '2026-06-01T00:00:00Z'),
  );
  assert.ok(holds({ 'x-kubernetes-int-or-string': true }, 'type(self) == int', 80));
  assert.ok(holds({ 'x-kubernetes-int-or-string': true }, 'type(self) == string', '80%'));
});

test('fields with reserved names or characters are escaped', () => {
  const schema: StructuralSchema = { type: 'object', properties: { namespace: text, 'a-b': text, 'c.d/e': text } };
  assert.ok(
    holds(schema, "self.__namespace__ == 'n' && self.a__dash__b == 'x' && self.c__dot__d__slash__e == 'y'", {
      namespace: 'n',
      'a-b': 'x',
      'c.d/e': 'y',
    }),
  );
});

test('unknown fields that are preserved are out of reach of a rule', () => {
  const schema: StructuralSchema = { type: 'object', properties: {}, 'x-kubernetes-preserve-unknown-fields': true };
  assert.equal(holds(schema, 'has(self.hidden)', { hidden: 1 }), false);
});

test('quantities compare by amount', () => {
  for (const rule of [
    "quantity(self) == quantity('1024Mi')",
    "quantity(self).isGreaterThan(quantity('1G'))",
    "quantity(self).isLessThan(quantity('1.1Gi'))",
    "quantity(self).compareTo(quantity('1Gi')) == 0",
    "quantity(self).add(quantity('1Gi')) == quantity('2Gi')",
    'quantity(self).sub(1).asInteger() == 1073741823',
    'quantity(self).add(1).isInteger()',
    'quantity(self).sign() == 1',
    'quantity(self).asApproximateFloat() > 1e9',
    "isQuantity(self) && !isQuantity('ten')",
  ]) {
    assert.ok(holds(text, rule, '1Gi'), rule);
  }
});

test('lists, expressions and addresses have the functions of Kubernetes', () => {
  const list: StructuralSchema = { type: 'array', items: integer };
  assert.ok(holds(list, 'self.isSorted() && self.sum() == 6 && self.min() == 1 && self.max() == 3', [1, 2, 3]));
  assert.ok(holds({ type: 'array', items: { type: 'number' } }, 'self.sum() == 1.5', [1, 0.5]));
  assert.ok(holds(text, "self.find('[0-9]+') == '12' && self.findAll('[0-9]+').size() == 2", 'a12b3'));
  assert.ok(holds(text, 'isURL(self)', 'https://example.org'));
});

test('a rule that fails to run refuses the object', () => {
  for (const rule of [
    'self.nothing == 1',
    'ip(self) == ip(self)',
    "quantity('x').isInteger()",
    'self[3] == 1',
    '[].min() == 1',
  ]) {
    assert.equal(holds(text, rule, 'a'), false, rule);
  }
});

test('a rule that is not CEL is an error of the schema', () => {
  assert.throws(
    () => holds(text, 'self ==', 'a'),
    (error) => error instanceof ApiError && error.reason === 'InvalidRule',
  );
});

test('rules about a change wait for one', () => {
  assert.ok(holds(text, 'self == oldSelf', 'a'));
  assert.ok(holds(text, 'self == oldSelf', 'a', 'a'));
  assert.equal(holds(text, 'self == oldSelf', 'a', 'b'), false);
});

test('optionalOldSelf asks at creation, too', () => {
  const schema = field(withRule(text, "self != 'never' || oldSelf == ''", { optionalOldSelf: true }));
  assert.equal(evaluateRules(schema, { spec: 'never' }).length, 1);
});

test('items of a map list are compared with those of the same key, items of other lists with none', () => {
  const item: StructuralSchema = {
    type: 'object',
    properties: { name: text, size: withRule(integer, 'self >= oldSelf') },
  };
  const list = (type: 'map' | 'atomic'): StructuralSchema => ({
    type: 'array',
    items: item,
    'x-kubernetes-list-type': type,
    ...(type === 'map' ? { 'x-kubernetes-list-map-keys': ['name'] } : {}),
  });
  const old = {
    spec: [
      { name: 'a', size: 2 },
      { name: 'b', size: 1 },
    ],
  };
  const now = {
    spec: [
      { name: 'b', size: 1 },
      { name: 'a', size: 1 },
      { name: 'c', size: 0 },
    ],
  };
  assert.deepEqual(
    evaluateRules(field(list('map')), now, old).map((violation) => violation.field),
    ['spec[1].size'],
  );
  assert.deepEqual(evaluateRules(field(list('atomic')), now, old), []);
});

test('values of a map are compared by key', () => {
  const schema: StructuralSchema = { type: 'object', additionalProperties: withRule(integer, 'self >= oldSelf') };
  const violations = evaluateRules(field(schema), { spec: { a: 1, b: 3 } }, { spec: { a: 2, b: 3 } });
  assert.deepEqual(
    violations.map((violation) => violation.field),
    ['spec[a]'],
  );
});

test('an expression may make the message, and the text of the rule stands in where there is none', () => {
  const told = field(withRule(integer, 'self > 5', { messageExpression: "'got ' + string(self)" }));
  assert.equal(evaluateRules(told, { spec: 3 })[0]?.message, 'got 3');
  const silent = field({ ...integer, 'x-kubernetes-validations': [{ rule: 'self > 5' }] });
  assert.equal(evaluateRules(silent, { spec: 3 })[0]?.message, 'failed rule: self > 5');
});

test('a rule at the root sees the name and no other metadata', () => {
  const root = (rule: string) => withRule({ type: 'object', properties: { metadata: { type: 'object' } } }, rule);
  const object = { metadata: { name: 'a', labels: { x: 'y' } } };
  assert.equal(evaluateRules(root("self.metadata.name == 'a'"), object).length, 0);
  assert.equal(evaluateRules(root('has(self.metadata.labels)'), object).length, 1);
});

test('defaults are filled in at every depth, leave what is given, and take a null for silence', () => {
  const schema: StructuralSchema = {
    type: 'object',
    properties: {
      list: { type: 'array', items: { type: 'object', properties: { size: { ...integer, default: 1 } } } },
      map: {
        type: 'object',
        additionalProperties: { type: 'object', properties: { on: { type: 'boolean', default: true } } },
      },
      part: { type: 'object', default: {}, properties: { word: { ...text, default: 'x' }, other: text } },
      none: { ...text, nullable: true, default: 'x' },
      gone: { ...text, default: 'x' },
      silent: text,
    },
  };
  const given = { list: [{}, { size: 5 }], map: { a: {}, b: null }, none: null, gone: null, silent: null };
  assert.deepEqual(applySchemaDefaults(schema, given), {
    list: [{ size: 1 }, { size: 5 }],
    map: { a: { on: true } },
    part: { word: 'x' },
    none: null,
    gone: 'x',
  });
  assert.deepEqual(given.list, [{}, { size: 5 }]);
});

test('unknown fields are cut and named, except where they are preserved', () => {
  const schema = field({
    type: 'object',
    properties: {
      list: { type: 'array', items: { type: 'object', properties: { a: text } } },
      map: { type: 'object', additionalProperties: { type: 'object', properties: { a: text } } },
      open: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { known: { type: 'object', properties: { a: text } } },
      },
      pod: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
    },
  });
  const object = {
    apiVersion: 'x/v1',
    kind: 'X',
    metadata: { name: 'a', labels: {} },
    spec: {
      list: [{ a: 'a', b: 1 }],
      map: { k: { b: 1 } },
      open: { anything: 1, known: { b: 1 } },
      pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { x: 1 }, extra: 1 },
      typo: 1,
    },
  };
  const { object: kept, pruned } = pruneUnknown(schema, object);
  assert.deepEqual(pruned, [
    'spec.list[0].b',
    'spec.map[k].b',
    'spec.open.known.b',
    'spec.pod.spec.x',
    'spec.pod.extra',
    'spec.typo',
  ]);
  assert.deepEqual(kept, {
    apiVersion: 'x/v1',
    kind: 'X',
    metadata: { name: 'a', labels: {} },
    spec: {
      list: [{ a: 'a' }],
      map: { k: {} },
      open: { anything: 1, known: {} },
      pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: {} },
    },
  });
});

test("structural faults are told in Kubernetes' words", () => {
  const cases: readonly (readonly [StructuralSchema, unknown, string])[] = [
    [integer, 'x', 'spec in body must be of type integer: "string"'],
    [{ ...integer, format: 'int32', minimum: 2 }, 1.5, 'spec in body must be of type integer: "number"'],
    [text, null, 'spec in body must be of type string: "null"'],
    [{ type: 'array', items: text }, {}, 'spec in body must be of type array: "object"'],
    [{ ...integer, minimum: 2 }, 1, 'spec in body should be greater than or equal to 2'],
    [{ ...integer, maximum: 2 }, 3, 'spec in body should be less than or equal to 2'],
    [{ ...integer, minimum: 2, exclusiveMinimum: true }, 2, 'spec in body should be greater than 2'],
    [{ ...integer, maximum: 2, exclusiveMaximum: true }, 2, 'spec in body should be less than 2'],
    [{ ...integer, multipleOf: 2 }, 3, 'spec in body should be a multiple of 2'],
    [{ ...text, minLength: 2 }, 'a', 'spec in body should be at least 2 chars long'],
    [{ ...text, maxLength: 2 }, 'abc', 'may not be more than 2 bytes'],
    [{ ...text, pattern: '^a$' }, 'b', "spec in body should match '^a$'"],
    [{ ...text, enum: ['a', 'b'] }, 'c', 'supported values: "a", "b"'],
    [{ ...text, format: 'date-time' }, 'today', 'spec in body must be of type date-time'],
    [{ type: 'array', items: text, minItems: 1 }, [], 'spec in body should have at least 1 items'],
    [{ type: 'array', items: text, maxItems: 1 }, ['a', 'b'], 'must have at most 1 items'],
    [{ type: 'object', minProperties: 1 }, {}, 'spec in body should have at least 1 properties'],
    [{ type: 'object', additionalProperties: text, maxProperties: 1 }, { a: 'a', b: 'b' }, 'must have at most 1 items'],
    [{ type: 'array', items: text, 'x-kubernetes-list-type': 'set' }, ['a', 'a'], 'Duplicate value'],
    [{ not: { type: 'string' } }, 'a', 'spec in body must NOT be valid'],
  ];
  for (const [schema, value, rule] of cases) {
    const violations = validateStructural(field(schema), { spec: value });
    assert.deepEqual(
      violations.map((violation) => violation.rule),
      [rule],
    );
  }
});

test('a missing field is named, in lists and maps, too', () => {
  const item: StructuralSchema = { type: 'object', properties: { 'a/b': text }, required: ['a/b'] };
  const places: readonly (readonly [StructuralSchema, unknown, string])[] = [
    [item, {}, 'spec.a/b'],
    [{ type: 'array', items: item }, [{ 'a/b': 'x' }, {}], 'spec[1].a/b'],
    [{ type: 'object', additionalProperties: item }, { 'x/y': {} }, 'spec[x/y].a/b'],
  ];
  for (const [schema, value, path] of places) {
    assert.deepEqual(
      validateStructural(field(schema), { spec: value }).map((violation) => [violation.field, violation.reason]),
      [[path, 'FieldValueRequired']],
    );
  }
});

test('duplicates are found inside maps and items', () => {
  const set: StructuralSchema = { type: 'array', items: text, 'x-kubernetes-list-type': 'set' };
  const deep: StructuralSchema = {
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'object', properties: { set } } },
  };
  const violations = validateStructural(field(deep), { spec: { k: [{ set: ['a', 'b', 'a'] }] } });
  assert.deepEqual(
    violations.map((violation) => violation.field),
    ['spec[k][0].set[2]'],
  );
});

test('a schema that can not be compiled is an error of the schema', () => {
  assert.throws(
    () => validateStructural({ ...text, pattern: '(' }, 'a'),
    (error) => error instanceof ApiError && error.reason === 'InvalidRule',
  );
});
