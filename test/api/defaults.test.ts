import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AnyLibrarianObject,
  applyDefaults,
  KINDS,
  managedSpec,
  type StructuralSchema,
  validate,
} from '../../src/api/index.ts';
import { typedCluster, typedLibrary } from './objects.ts';

test('a managed cluster has every part that the operator makes', () => {
  assert.deepEqual(
    managedSpec(typedCluster({ version: '1.18.3', size: 3, persistence: { storageClassName: 'fast' } })),
    {
      version: '1.18.3',
      size: 3,
      apiKey: { generate: true },
      readOnlyApiKey: { generate: true },
      image: { repository: 'qdrant/qdrant', pullPolicy: 'IfNotPresent' },
      persistence: { size: '10Gi', storageClassName: 'fast' },
      snapshotPersistence: { enabled: false, size: '10Gi' },
      service: { type: 'ClusterIP' },
      podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
      networkPolicy: { enabled: true },
      deletionPolicy: 'Retain',
    },
  );
});

test('an external cluster gets no part of a managed one', () => {
  const external = typedCluster({ external: { url: 'https://x.example.org', apiKeySecretRef: { name: 'key' } } });
  assert.deepEqual(applyDefaults(external).spec, {
    external: { url: 'https://x.example.org', apiKeySecretRef: { name: 'key', key: 'api-key' } },
    deletionPolicy: 'Retain',
  });
  assert.equal(managedSpec(external), undefined);
});

test('a cluster without version or size is not taken for a complete one', () => {
  assert.equal(managedSpec(typedCluster({ size: 3 })), undefined);
});

test('what a library takes from its profile stays open', () => {
  const library = typedLibrary({ domain: 'code', profile: 'Code', placement: { clusterRef: { name: 'docs' } } });
  assert.deepEqual(applyDefaults(library).spec, {
    domain: 'code',
    profile: 'Code',
    placement: { clusterRef: { name: 'docs' } },
    generations: { keep: 1, reverseSyncSeconds: 300 },
    deletionPolicy: 'Retain',
  });
});

/** Values that fit a schema's types, not always its rules. */
function fitting(schema: StructuralSchema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object': {
      if (typeof schema.additionalProperties === 'object') {
        return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fitting(schema.additionalProperties), { maxKeys: 2 });
      }
      const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, fitting(field)] as const);
      return fc.record(Object.fromEntries(fields), { requiredKeys: [...(schema.required ?? [])] });
    }
    case 'array':
      return fc.array(fitting(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 2 });
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 0, 2 ** 31 - 1) });
    case 'boolean':
      return fc.boolean();
    case 'string':
    case 'number':
    case undefined:
      break;
  }
  return fc.constantFrom('a', 'b-c', '10Gi');
}

for (const { kind, schema } of KINDS) {
  const spec = fitting(schema.properties?.['spec'] ?? {});
  const objects = spec.map(
    (value) =>
      ({
        apiVersion: 'qdrant-librarian.io/v1alpha1',
        kind,
        metadata: { name: 'x' },
        spec: value,
      }) as AnyLibrarianObject,
  );

  test(`${kind}: defaults filled in twice are those filled in once`, () => {
    fc.assert(
      fc.property(objects, (object) => {
        const once = applyDefaults(object);
        assert.deepEqual(applyDefaults(once), once);
      }),
      { numRuns: 50 },
    );
  });

  test(`${kind}: defaults bring no fault that was not there`, () => {
    fc.assert(
      fc.property(objects, (object) => {
        assert.deepEqual(validate(applyDefaults(object)), validate(object));
      }),
      { numRuns: 30 },
    );
  });
}
