import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { generatedFiles } from '../../scripts/generate/files.ts';
import { crdYaml, evaluateRules, KINDS, type StructuralSchema, validateStructural } from '../../src/api/index.ts';

type Visit = (schema: StructuralSchema, path: string) => void;

function walk(schema: StructuralSchema, path: string, visit: Visit): void {
  visit(schema, path);
  for (const [name, field] of Object.entries(schema.properties ?? {})) walk(field, `${path}.${name}`, visit);
  if (schema.items !== undefined) walk(schema.items, `${path}[]`, visit);
  if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties, `${path}[*]`, visit);
}

type Definition = { spec: { versions: { schema: { openAPIV3Schema: StructuralSchema } }[] } };

/** The schemas as they stand in the YAML, not as they stand in memory. */
const schemas = KINDS.map((descriptor) => {
  const definition = load(crdYaml(descriptor)) as Definition;
  return { kind: descriptor.kind, schema: definition.spec.versions[0]?.schema.openAPIV3Schema ?? {} };
});

/** Complaints of a check over every schema of every kind, except the parts of the root that Kubernetes fills in. */
function complaints(check: (schema: StructuralSchema) => boolean): string[] {
  const found: string[] = [];
  for (const { kind, schema } of schemas) {
    walk(schema, kind, (part, path) => {
      const isRoot = /^\w+\.(apiVersion|kind|metadata)$/.test(path);
      if (!isRoot && !check(part)) found.push(path);
    });
  }
  return found;
}

const ALLOWED = new Set(
  (
    'type description default nullable format enum pattern minLength maxLength minimum maximum minItems maxItems ' +
    'minProperties maxProperties items properties additionalProperties required anyOf ' +
    'x-kubernetes-preserve-unknown-fields x-kubernetes-int-or-string x-kubernetes-list-type ' +
    'x-kubernetes-list-map-keys x-kubernetes-map-type x-kubernetes-validations'
  ).split(' '),
);

test('a schema holds structural keywords only', () => {
  assert.deepEqual(
    complaints((schema) => Object.keys(schema).every((keyword) => ALLOWED.has(keyword))),
    [],
  );
});

test('every schema has a type, except one that is an integer or a string', () => {
  assert.deepEqual(
    complaints((schema) => (schema['x-kubernetes-int-or-string'] === true) !== (schema.type !== undefined)),
    [],
  );
});

test('anyOf stands only where Kubernetes allows it', () => {
  const intOrString = [{ type: 'integer' }, { type: 'string' }];
  assert.deepEqual(
    complaints(
      ({ anyOf, ...schema }) =>
        anyOf === undefined ||
        (schema['x-kubernetes-int-or-string'] === true && JSON.stringify(anyOf) === JSON.stringify(intOrString)),
    ),
    [],
  );
});

test('fields and values of a map never stand side by side', () => {
  assert.deepEqual(
    complaints((schema) => schema.properties === undefined || schema.additionalProperties === undefined),
    [],
  );
});

test('an object either names its fields, or is a map, or keeps what is unknown', () => {
  assert.deepEqual(
    complaints(
      (schema) =>
        schema.type !== 'object' ||
        schema.properties !== undefined ||
        schema.additionalProperties !== undefined ||
        schema['x-kubernetes-preserve-unknown-fields'] === true,
    ),
    [],
  );
});

test('every string, number, list and map is bounded', () => {
  const isBounded = (schema: StructuralSchema): boolean => {
    switch (schema.type) {
      case 'string':
        return schema.maxLength !== undefined || schema.enum !== undefined || schema.format === 'date-time';
      case 'integer':
        return schema.minimum !== undefined && schema.maximum !== undefined;
      case 'array':
        return schema.maxItems !== undefined;
      case 'object':
        return schema.additionalProperties === undefined || schema.maxProperties !== undefined;
      case 'boolean':
        return true;
      case 'number':
      case undefined:
        break;
    }
    return schema['x-kubernetes-int-or-string'] === true && schema.maxLength !== undefined;
  };
  assert.deepEqual(complaints(isBounded), []);
});

test('no bound lies beyond what JavaScript and JSON keep exactly', () => {
  const isSafe = (bound: number | undefined) => bound === undefined || Number.isSafeInteger(bound);
  assert.deepEqual(
    complaints(({ minimum, maximum }) => isSafe(minimum) && isSafe(maximum)),
    [],
  );
});

test('an integer beyond 32 bits says so', () => {
  assert.deepEqual(
    complaints(
      ({ type, format, maximum }) => type !== 'integer' || (format === 'int64') === (maximum ?? 0) > 2 ** 31 - 1,
    ),
    [],
  );
});

test('there are no floating point numbers', () => {
  assert.deepEqual(
    complaints(({ type }) => type !== 'number'),
    [],
  );
});

test('every list says how it merges, and keys of a map list are always there', () => {
  const isMerged = (schema: StructuralSchema): boolean => {
    if (schema.type !== 'array') return true;
    const { items } = schema;
    switch (schema['x-kubernetes-list-type']) {
      case 'map':
        return (schema['x-kubernetes-list-map-keys'] ?? []).every((key) => items?.required?.includes(key) === true);
      case 'set':
        return items?.type === 'string';
      case 'atomic':
        return true;
      case undefined:
        break;
    }
    return false;
  };
  assert.deepEqual(complaints(isMerged), []);
});

test('every field says what it means', () => {
  assert.deepEqual(
    complaints(({ description }) => description !== undefined && description.length > 0),
    [],
  );
});

// Kubernetes asks this before it fills in the defaults inside a default.
test('every default fits its own schema and rules', () => {
  assert.deepEqual(
    complaints(
      (schema) =>
        schema.default === undefined ||
        [...validateStructural(schema, schema.default), ...evaluateRules(schema, schema.default)].length === 0,
    ),
    [],
  );
});

test('a field with a default is never required', () => {
  assert.deepEqual(
    complaints(({ properties, required }) =>
      (required ?? []).every((name) => properties?.[name]?.default === undefined),
    ),
    [],
  );
});

test('every rule has a message of one line, and points at a field that exists', () => {
  const exists = (schema: StructuralSchema, path: string): boolean =>
    path
      .split('.')
      .slice(1)
      .reduce<StructuralSchema | undefined>((at, name) => at?.properties?.[name], schema) !== undefined;
  assert.deepEqual(
    complaints((schema) =>
      (schema['x-kubernetes-validations'] ?? []).every(
        ({ message, fieldPath }) =>
          message !== undefined && !message.includes('\n') && (fieldPath === undefined || exists(schema, fieldPath)),
      ),
    ),
    [],
  );
});

test('kinds have their short names, the category, a status and columns from Ready to Age', () => {
  assert.deepEqual(
    KINDS.map(({ plural, shortNames, categories }) => [plural, shortNames[0], categories[0]]),
    [
      ['qdrantclusters', 'qdc', 'librarian'],
      ['domainlibraries', 'dlib', 'librarian'],
      ['rebalancepolicies', 'rbp', 'librarian'],
      ['vectorizationjobs', 'vecjob', 'librarian'],
    ],
  );
  for (const { columns, schema } of KINDS) {
    assert.equal(columns[0]?.name, 'Ready');
    assert.equal(columns.at(-1)?.name, 'Age');
    assert.ok(schema.properties?.['status'] !== undefined);
  }
});

test('columns and the scale subresource point at fields that exist', () => {
  for (const { columns, scale, schema, kind } of KINDS) {
    const paths = [...columns.map(({ jsonPath }) => jsonPath), ...Object.values(scale ?? {})];
    for (const path of paths) {
      if (path.startsWith('.metadata.')) continue;
      const names = path
        .replace(/\[.*?\]/, '')
        .split('.')
        .slice(1);
      const field = names.reduce<StructuralSchema | undefined>(
        (at, name) => (at?.items ?? at)?.properties?.[name],
        schema,
      );
      assert.ok(field !== undefined, `${kind} ${path}`);
    }
  }
});

test('only a cluster can be scaled', () => {
  assert.deepEqual(
    KINDS.filter(({ scale }) => scale !== undefined).map(({ kind }) => kind),
    ['QdrantCluster'],
  );
});

test('the reference names every field of every spec', () => {
  const text = generatedFiles().get('docs/api-reference.md') ?? '';
  for (const { schema } of KINDS) {
    for (const name of Object.keys(schema.properties?.['spec']?.properties ?? {}))
      assert.ok(text.includes(`\`${name}\``), name);
  }
});
