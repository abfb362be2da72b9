import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validate } from '../../src/api/index.ts';
import { cluster, library } from './objects.ts';

const only = (object: unknown) => {
  const violations = validate(object);
  assert.equal(violations.length, 1, JSON.stringify(violations));
  return violations[0];
};

test('a typo is named with the field that was meant', () => {
  assert.equal(only(cluster({ sise: 3 }))?.rule, 'unknown field; did you mean spec.size?');
  assert.equal(only(cluster({ external_url: 'x' }))?.rule, 'unknown field; did you mean spec.external?');
  assert.equal(only(cluster({ zookeeper: 'x' }))?.rule, 'unknown field');
  assert.equal(
    only(library({ shards: { replication_factor: 2 } }))?.rule,
    'unknown field; did you mean spec.shards.replicationFactor?',
  );
});

test('a field at the wrong place is pointed to the right one', () => {
  assert.equal(
    only(library({ replicationFactor: 2 }))?.rule,
    'unknown field; did you mean spec.shards.replicationFactor?',
  );
});

test('a typo in a list names the item', () => {
  const violation = only(library({ payloadIndexes: [{ field: 'a', type: 'keyword', onDisc: true }] }));
  assert.equal(violation?.field, 'spec.payloadIndexes[0].onDisc');
  assert.equal(violation.rule, 'unknown field; did you mean spec.payloadIndexes[0].onDisk?');
});

test('several faults are all told', () => {
  const fields = validate(cluster({ size: 0, version: 'latest', sise: 1 })).map(({ field }) => field);
  assert.deepEqual(fields.toSorted(), ['spec.sise', 'spec.size', 'spec.version']);
});

test('field, value and rule are named', () => {
  assert.deepEqual(only(cluster({ size: 101 })), {
    field: 'spec.size',
    value: 101,
    rule: 'should be less than or equal to 100',
    reason: 'FieldValueInvalid',
  });
});

test('a wrong unit is refused in words', () => {
  assert.equal(only(cluster({ persistence: { size: '10 GB' } }))?.rule, 'must be a quantity such as 500m or 10Gi');
  assert.equal(only(cluster({ version: '1.15.9' }))?.rule, 'must be a version of Qdrant from 1.16.0 such as 1.18.3');
});

test('a secret value is never shown', () => {
  const faulty = [
    cluster({ apiKey: 'hush' }),
    cluster({ config: { service: { api_key: 'hush', alt_api_key: 17 } } }),
    cluster({ external: { url: 'https://x', apiKey: 'hush' } }),
    cluster({ password: 'hush' }),
  ];
  for (const object of faulty) assert.ok(!JSON.stringify(validate(object)).includes('hush'));
});

test('quantities of resources may be numbers or texts', () => {
  assert.deepEqual(validate(cluster({ resources: { limits: { cpu: 2, memory: '1Gi' } } })), []);
  assert.equal(only(cluster({ resources: { limits: { cpu: true } } }))?.field, 'spec.resources.limits[cpu]');
});

test('an unknown kind or version of the group is refused', () => {
  assert.equal(only({ ...cluster(), kind: 'QdrantClutser' })?.field, 'kind');
  assert.equal(only({ ...cluster(), apiVersion: 'qdrant-librarian.io/v2' })?.field, 'apiVersion');
  assert.equal(only(7)?.rule, 'must be an object');
});

test('an object needs a name that Kubernetes takes, and a spec', () => {
  assert.equal(only({ ...cluster(), metadata: {} })?.field, 'metadata.name');
  assert.equal(only(cluster({}, 'Docs'))?.field, 'metadata.name');
  const { spec: _, ...bare } = cluster();
  assert.deepEqual(only(bare), {
    field: 'spec',
    value: undefined,
    rule: 'Required value',
    reason: 'FieldValueRequired',
  });
});

test('names that objects inherit are fields like any other', () => {
  assert.equal(only(cluster({ constructor: 1 }))?.field, 'spec.constructor');
  assert.equal(only(cluster({ toString: 1 }))?.field, 'spec.toString');
});
