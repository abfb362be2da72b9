import { asArray, asObject, asString, asStrings, at, isObject, type Json } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Schema } from '../schema.ts';
import type { Violation } from '../status.ts';
import { structuralViolations } from './structural.ts';

const required = (field: string, why: string): Violation => ({
  field,
  type: 'FieldValueRequired',
  message: `Required value: ${why}`,
});
const wrong = (field: string, value: Json | undefined, why: string): Violation => ({
  field,
  type: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value ?? null)}: ${why}`,
});
const prohibited = (field: string, why: string): Violation => ({
  field,
  type: 'FieldValueForbidden',
  message: `Forbidden: ${why}`,
});

const COLUMN_TYPES = ['integer', 'number', 'string', 'boolean', 'date'];

/**
 * What of a CustomResourceDefinition a real server would refuse, as far as schemas commonly get it wrong.
 * The cost of CEL rules is not estimated here.
 *
 * Source: apiextensions-apiserver `pkg/apis/apiextensions/validation`, `pkg/apiserver/schema/validation.go`.
 */
export function definitionViolations(definition: ApiObject): Violation[] {
  const spec = asObject(definition['spec']);
  const expected = `${asString(at(spec, 'names', 'plural'))}.${asString(spec['group'])}`;
  const versions = asArray(spec['versions']);
  const violations: Violation[] = [];
  if (definition.metadata.name !== expected) {
    violations.push(wrong('metadata.name', definition.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (versions.filter((version) => at(version, 'storage') === true).length !== 1) {
    violations.push(wrong('spec.versions', versions.length, 'must have exactly one version marked as storage version'));
  }
  for (const [index, version] of versions.entries())
    violations.push(...versionViolations(version, `spec.versions[${index}]`));
  return violations;
}

function versionViolations(version: Json, field: string): Violation[] {
  const schema = at(version, 'schema', 'openAPIV3Schema');
  const path = `${field}.schema.openAPIV3Schema`;
  if (!isObject(schema)) return [required(path, 'schemas are required')];
  const violations = schemaViolations(schema as Schema, path);
  if (schema['type'] !== 'object') violations.push(wrong(`${path}.type`, schema['type'], 'must be object at the root'));
  const scale = at(version, 'subresources', 'scale');
  if (isObject(scale)) violations.push(...scaleViolations(scale, `${field}.subresources.scale`));
  for (const [index, column] of asArray(at(version, 'additionalPrinterColumns')).entries()) {
    const place = `${field}.additionalPrinterColumns[${index}]`;
    if (!COLUMN_TYPES.includes(asString(at(column, 'type')))) {
      violations.push(wrong(`${place}.type`, at(column, 'type'), `must be one of ${COLUMN_TYPES.join(',')}`));
    }
    if (!asString(at(column, 'jsonPath')).startsWith('.')) {
      violations.push(wrong(`${place}.jsonPath`, at(column, 'jsonPath'), 'must be a simple json path starting with .'));
    }
  }
  return violations;
}

function scaleViolations(scale: { [name: string]: Json | undefined }, field: string): Violation[] {
  const places: readonly [name: string, form: RegExp, why: string][] = [
    ['specReplicasPath', /^\.spec\./, 'should be a json path under .spec'],
    ['statusReplicasPath', /^\.status\./, 'should be a json path under .status'],
    ['labelSelectorPath', /^\.(spec|status)\./, 'should be a json path under either .status or .spec'],
  ];
  return places.flatMap(([name, form, why]) => {
    const path = asString(scale[name]);
    if (path === '' && name === 'labelSelectorPath') return [];
    return form.test(path) ? [] : [wrong(`${field}.${name}`, path, why)];
  });
}

function schemaViolations(schema: Schema, field: string): Violation[] {
  const violations = nodeViolations(schema, field);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    violations.push(...schemaViolations(property, `${field}.properties[${name}]`));
  }
  if (schema.items !== undefined) violations.push(...schemaViolations(schema.items, `${field}.items`));
  if (isObject(schema.additionalProperties)) {
    violations.push(...schemaViolations(schema.additionalProperties as Schema, `${field}.additionalProperties`));
  }
  return violations;
}

function nodeViolations(schema: Schema, field: string): Violation[] {
  const violations: Violation[] = [];
  const isTyped =
    schema.type !== undefined ||
    schema['x-kubernetes-int-or-string'] === true ||
    schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (!isTyped) violations.push(required(`${field}.type`, 'must not be empty for specified object fields'));
  if (schema.properties !== undefined && schema.additionalProperties !== undefined) {
    violations.push(prohibited(field, 'additionalProperties and properties are mutual exclusive'));
  }
  if (schema['uniqueItems'] === true)
    violations.push(
      prohibited(
        `${field}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  if (schema['$ref'] !== undefined) violations.push(prohibited(`${field}.$ref`, '$ref is not supported'));
  if (schema.type === 'array' && schema.items === undefined)
    violations.push(required(`${field}.items`, 'must be specified'));
  return [...violations, ...listViolations(schema, field), ...defaultViolations(schema, field)];
}

function listViolations(schema: Schema, field: string): Violation[] {
  const kind = schema['x-kubernetes-list-type'];
  const { items } = schema;
  if (kind === 'set') {
    const atomic = items?.['x-kubernetes-map-type'] === 'atomic' || items?.['x-kubernetes-list-type'] === 'atomic';
    const scalar = items?.type !== 'object' && items?.type !== 'array';
    return scalar || atomic ? [] : [wrong(`${field}.items`, items?.type, 'items of a set must be scalar or atomic')];
  }
  if (kind !== 'map') return [];
  const keys = asStrings(schema['x-kubernetes-list-map-keys'] as Json | undefined);
  if (keys.length === 0)
    return [required(`${field}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')];
  return keys.flatMap((key) => {
    const property = items?.properties?.[key];
    if (property === undefined)
      return [wrong(`${field}.x-kubernetes-list-map-keys`, key, 'entries must all be names of item properties')];
    const given = items?.required?.includes(key) === true || property.default !== undefined;
    const why = `this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`;
    return given ? [] : [required(`${field}.items.properties[${key}].default`, why)];
  });
}

function defaultViolations(schema: Schema, field: string): Violation[] {
  if (schema.default === undefined) return [];
  return structuralViolations(schema.default, schema, `${field}.default`);
}
