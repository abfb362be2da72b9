import { setTimeout as sleep } from 'node:timers/promises';
import type { Json, JsonObject } from '../../../../sandbox/kube/json.ts';
import { MERGE } from '../contract/api.ts';
import type { Story, Teller } from './story.ts';

const GROUP = 'story.example.com';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

type Names = { readonly kind: string; readonly plural: string };

const definition = ({ kind, plural }: Names, properties: JsonObject): JsonObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { kind, plural },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } },
        },
      },
    ],
  },
});

const object = ({ kind }: Names, name: string, spec: JsonObject): JsonObject => ({
  apiVersion: `${GROUP}/v1`,
  kind,
  metadata: { name },
  spec,
});

async function serve(teller: Teller, names: Names, properties: JsonObject): Promise<string> {
  await teller.send(`POST definition of ${names.kind}`, DEFINITIONS, {
    body: definition(names, properties),
    look: () => 'taken',
  });
  const path = teller.named(`${GROUP}/v1`, names.plural);
  for (let tries = 0; tries < 200; tries++) {
    if ((await teller.api.get(path)).code === 200) break;
    await sleep(50);
  }
  return path;
}

const text = { type: 'string', maxLength: 50 };
const integer = { type: 'integer' };

/** A schema for every keyword that is checked, with a value that breaks it. */
const FAULTS: { readonly [name: string]: readonly [schema: JsonObject, value: Json] } = {
  typeOfInteger: [integer, 'x'],
  typeOfText: [text, 1],
  typeOfFlag: [{ type: 'boolean' }, 'true'],
  typeOfList: [{ type: 'array', items: text }, {}],
  typeOfObject: [{ type: 'object', properties: { a: text } }, []],
  fraction: [integer, 1.5],
  below: [{ ...integer, minimum: 2 }, 1],
  above: [{ ...integer, maximum: 2 }, 3],
  notBelow: [{ ...integer, minimum: 2, exclusiveMinimum: true }, 2],
  notAbove: [{ ...integer, maximum: 2, exclusiveMaximum: true }, 2],
  multiple: [{ ...integer, multipleOf: 2 }, 3],
  wide: [{ ...integer, format: 'int32' }, 4_000_000_000],
  short: [{ ...text, minLength: 2 }, 'a'],
  long: [{ type: 'string', maxLength: 2, pattern: '^b$' }, 'aaa'],
  pattern: [{ ...text, pattern: '^a$' }, 'b'],
  enumeration: [{ ...text, enum: ['a', 'b'] }, 'c'],
  dateTime: [{ type: 'string', format: 'date-time' }, 'today'],
  date: [{ type: 'string', format: 'date' }, 'today'],
  uri: [{ type: 'string', format: 'uri' }, 'not one'],
  bytes: [{ type: 'string', format: 'byte' }, '*'],
  few: [{ type: 'array', items: text, minItems: 1 }, []],
  many: [{ type: 'array', items: text, maxItems: 1 }, ['a', 'b']],
  fewFields: [{ type: 'object', additionalProperties: text, minProperties: 1 }, {}],
  manyFields: [
    { type: 'object', additionalProperties: text, maxProperties: 1 },
    { a: 'a', b: 'b' },
  ],
  set: [{ type: 'array', items: text, 'x-kubernetes-list-type': 'set' }, ['a', 'a']],
  missing: [{ type: 'object', properties: { a: text }, required: ['a'] }, {}],
  deep: [{ type: 'array', items: { type: 'object', properties: { a: integer } } }, [{ a: 1 }, { a: 'x' }]],
  map: [
    { type: 'object', additionalProperties: { type: 'object', properties: { a: integer } } },
    { 'x/y': { a: 'x' } },
  ],
  intOrText: [{ 'x-kubernetes-int-or-string': true }, true],
  not: [{ ...text, not: { enum: ['a'] } }, 'a'],
  anyOf: [{ ...text, anyOf: [{ enum: ['a'] }, { enum: ['b'] }] }, 'c'],
  oneOf: [{ ...text, oneOf: [{ enum: ['a', 'c'] }, { enum: ['b', 'c'] }] }, 'c'],
  allOf: [{ ...text, allOf: [{ minLength: 3 }] }, 'c'],
};

/** Structural faults, one after the other and all at once. */
export const schemas: Story = {
  name: 'faults of a schema',
  tell: async (teller) => {
    const names = { kind: 'Fault', plural: 'faults' };
    const entries = Object.entries(FAULTS);
    const path = await serve(teller, names, Object.fromEntries(entries.map(([name, [schema]]) => [name, schema])));
    for (const [name, [, value]] of entries) {
      await teller.send(`POST ${name}`, path, {
        body: object(names, name.toLowerCase(), { [name]: value }),
        look: (body) => body['spec'],
      });
    }
    const all = Object.fromEntries(entries.map(([name, [, value]]) => [name, value]));
    await teller.send('POST all at once', path, { body: object(names, 'all', all) });
    const nothing = Object.fromEntries(entries.map(([name]) => [name, null]));
    await teller.send('POST nulls', path, { body: object(names, 'nulls', nothing), look: (body) => body['spec'] });
  },
};

type Rule = readonly [schema: JsonObject, rule: string, holds: Json, breaks: Json, more?: JsonObject];

const list = (items: JsonObject): JsonObject => ({ type: 'array', items, maxItems: 5 });

/** Rules in CEL with a value that keeps them and one that doesn't: the library that the product's rules may use. */
const RULES: { readonly [name: string]: Rule } = {
  integers: [integer, 'type(self) == int && self > 1', 2, 1],
  numbers: [{ type: 'number' }, 'type(self) == double && self > 1.5', 2, 1],
  times: [
    { type: 'string', format: 'date-time' },
    "self > timestamp('2026-01-01T00:00:00Z')",
    '2026-06-01T00:00:00Z',
    '2025-01-01T00:00:00Z',
  ],
  durations: [{ type: 'string', format: 'duration' }, "self >= duration('1m')", '2m', '1s'],
  intOrText: [
    { 'x-kubernetes-int-or-string': true, maxLength: 9 },
    "type(self) == int ? self > 1 : self == '80%'",
    '80%',
    1,
  ],
  quantities: [text, "isQuantity(self) && quantity(self).isGreaterThan(quantity('1G'))", '1Gi', '1M'],
  arithmetic: [text, "quantity(self).add(quantity('1Gi')).compareTo(quantity('2Gi')) == 0", '1024Mi', '1G'],
  sorted: [list(integer), 'self.isSorted() && self.sum() == 6', [1, 2, 3], [3, 2, 1]],
  extremes: [list(integer), 'self.min() == 1 && self.max() == 3', [1, 3], [1, 2]],
  found: [text, "self.find('[0-9]+') == '12' && self.findAll('[0-9]+').size() == 2", 'a12b3', 'a'],
  urls: [text, "isURL(self) && url(self).getScheme() == 'https'", 'https://example.org', 'http://example.org'],
  texts: [text, "self.lowerAscii() == 'ab' && self.startsWith('A')", 'Ab', 'ab'],
  split: [text, "self.split('/').all(part, part != '..')", 'a/b', 'a/../b'],
  matches: [text, "self.matches('^[a-z]+$')", 'abc', 'ab1'],
  macros: [
    list(text),
    "self.exists_one(x, x == 'a') && self.filter(x, x != 'a').map(x, size(x)).all(n, n == 1)",
    ['a', 'b'],
    ['a', 'a'],
  ],
  optional: [
    { type: 'object', properties: { a: text, b: text } },
    'has(self.a) ? !has(self.b) : has(self.b)',
    { a: 'x' },
    { a: 'x', b: 'y' },
  ],
  escaped: [
    { type: 'object', properties: { namespace: text, 'a-b': text } },
    'self.__namespace__ == self.a__dash__b',
    { namespace: 'x', 'a-b': 'x' },
    { namespace: 'x', 'a-b': 'y' },
  ],
  missing: [{ type: 'object', properties: { a: text } }, "self.a == 'x'", { a: 'x' }, {}],
  index: [list(text), "self[1] == 'b'", ['a', 'b'], ['a']],
  unequal: [text, "self != ''", 'x', '', { messageExpression: "'got nothing'" }],
  silent: [integer, 'self > 5', 6, 5, { message: undefined }],
  reason: [text, "self == 'x'", 'x', 'y', { reason: 'FieldValueForbidden' }],
  required: [text, "self == 'x'", 'x', 'y', { reason: 'FieldValueRequired' }],
  duplicate: [text, "self == 'x'", 'x', 'y', { reason: 'FieldValueDuplicate' }],
  path: [
    { type: 'object', properties: { a: text } },
    "has(self.a) && self.a == 'x'",
    { a: 'x' },
    { a: 'y' },
    { fieldPath: '.a' },
  ],
  immutable: [text, 'self == oldSelf', 'x', 'y'],
  growing: [integer, 'self >= oldSelf', 5, 4],
};

export const celRules: Story = {
  name: 'rules in CEL',
  tell: async (teller) => {
    const names = { kind: 'Ruled', plural: 'ruleds' };
    const entries = Object.entries(RULES);
    const properties = entries.map(([name, [schema, rule, , , more]]) => [
      name,
      { ...schema, 'x-kubernetes-validations': [{ rule, message: 'broken', ...more }] },
    ]);
    const path = await serve(teller, names, JSON.parse(JSON.stringify(Object.fromEntries(properties))));
    for (const [name, [, , holds, breaks]] of entries) {
      const key = name.toLowerCase();
      await teller.send(`POST ${name} kept`, path, {
        body: object(names, key, { [name]: holds }),
        look: (body) => body['spec'],
      });
      await teller.send(`PATCH ${name} broken`, `${path}/${key}`, { body: { spec: { [name]: breaks } }, type: MERGE });
      await teller.send(`POST ${name} broken`, `${path}?dryRun=All`, {
        body: object(names, `${key}-2`, { [name]: breaks }),
        look: () => 'taken',
      });
    }
  },
};

/** Definitions that a server refuses, by what is wrong in the schema of one field. */
const BAD_FIELDS: { readonly [name: string]: JsonObject } = {
  'no type': {},
  'unique items': { type: 'array', items: text, uniqueItems: true },
  'no items': { type: 'array' },
  'both kinds of fields': { type: 'object', properties: { a: text }, additionalProperties: text },
  'a default of another type': { ...integer, default: 'x' },
  'a default out of bounds': { ...integer, minimum: 2, default: 1 },
  'keys of a list that may be missing': {
    ...{ type: 'array', items: { type: 'object', properties: { name: text } } },
    ...{ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
  },
  'keys without a map': { type: 'array', items: text, 'x-kubernetes-list-map-keys': ['name'] },
  'a set of objects': {
    type: 'array',
    items: { type: 'object', properties: { a: text } },
    'x-kubernetes-list-type': 'set',
  },
  'an unknown list type': { type: 'array', items: text, 'x-kubernetes-list-type': 'heap' },
  'a type in a choice': { type: 'string', anyOf: [{ type: 'string' }] },
  'a pattern that is none': { type: 'string', pattern: '(' },
  'a rule that is not CEL': { ...text, 'x-kubernetes-validations': [{ rule: 'self ==' }] },
  'a rule of another type': { ...text, 'x-kubernetes-validations': [{ rule: 'self + 1 == 2' }] },
  'a rule about what is not there': {
    type: 'object',
    properties: { a: text },
    'x-kubernetes-validations': [{ rule: 'self.b' }],
  },
  'a rule that is no condition': { ...text, 'x-kubernetes-validations': [{ rule: 'size(self)' }] },
  'an empty rule': { ...text, 'x-kubernetes-validations': [{ rule: '' }] },
  'a message of two lines': { ...text, 'x-kubernetes-validations': [{ rule: 'true', message: 'a\nb' }] },
  'a reason that is none': { ...text, 'x-kubernetes-validations': [{ rule: 'true', reason: 'Odd' }] },
  'a path that leads nowhere': {
    type: 'object',
    properties: { a: text },
    'x-kubernetes-validations': [{ rule: 'true', fieldPath: '.b' }],
  },
  'a rule too costly': {
    type: 'array',
    items: { type: 'string' },
    'x-kubernetes-validations': [{ rule: 'self.all(a, self.all(b, self.all(c, a + b != c)))' }],
  },
};

export const badDefinitions: Story = {
  name: 'refused definitions',
  tell: async (teller) => {
    for (const [name, field] of Object.entries(BAD_FIELDS)) {
      await teller.send(`POST ${name}`, `${DEFINITIONS}?dryRun=All`, {
        body: definition({ kind: 'Bad', plural: 'bads' }, { field }),
        look: () => 'taken',
      });
    }
    const good = definition({ kind: 'Bad', plural: 'bads' }, { a: text });
    const spec = good['spec'] as JsonObject;
    const [version] = spec['versions'] as JsonObject[];
    const versions: { readonly [name: string]: JsonObject[] } = {
      'no version stored': [{ ...version, storage: false }],
      'two versions stored': [version ?? {}, { ...version, name: 'v2' }],
      'a version twice': [version ?? {}, { ...version, storage: false }],
      'a path of no scale': [
        { ...version, subresources: { scale: { specReplicasPath: 'x', statusReplicasPath: '.y' } } },
      ],
      'a column without a path': [
        { ...version, additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: 'x' }] },
      ],
      'no schema': [{ name: 'v1', served: true, storage: true }],
    };
    for (const [name, list] of Object.entries(versions)) {
      await teller.send(`POST ${name}`, `${DEFINITIONS}?dryRun=All`, {
        body: { ...good, spec: { ...spec, versions: list } },
        look: () => 'taken',
      });
    }
    await teller.send('POST another name', `${DEFINITIONS}?dryRun=All`, {
      body: { ...good, metadata: { name: `else.${GROUP}` } },
      look: () => 'taken',
    });
    await teller.send('POST a kind that is taken', DEFINITIONS, {
      body: {
        ...good,
        metadata: { name: 'qdrantclusters.qdrant-librarian.io' },
        spec: { ...spec, group: 'qdrant-librarian.io', names: { kind: 'QdrantCluster', plural: 'qdrantclusters' } },
      },
      look: () => 'taken',
    });
  },
};
