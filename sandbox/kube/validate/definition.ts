import { asArray, asObject, asString, asStrings, at, isObject, type Json } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Schema } from '../schema.ts';
import type { Violation } from '../status.ts';
import { rulesViolations } from './rules.ts';
import { structuralViolations } from './structural.ts';

const required = (field: string, why: string): Violation => ({
  field,
  type: 'FieldValueRequired',
  message: why === '' ? 'Required value' : `Required value: ${why}`,
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

const LIST_TYPES = ['atomic', 'set', 'map'];
const COLUMN_TYPES = ['integer', 'number', 'string', 'boolean', 'date'];

/**
 * What of a CustomResourceDefinition a real server would refuse, as far as schemas commonly get it wrong.
 * Types in CEL rules are not checked and their cost is not estimated here.
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
  const names = versions.map((version) => asString(at(version, 'name')));
  if (new Set(names).size < names.length) {
    violations.push(wrong('spec.versions', names, 'must contain unique version names'));
  }
  // What all versions share stands at the top of the internal form, and is named there.
  for (const [index, version] of versions.entries())
    violations.push(...versionViolations(version, versions.length === 1 ? '' : `spec.versions[${index}]`));
  return violations;
}

function versionViolations(version: Json, place: string): Violation[] {
  const schema = at(version, 'schema', 'openAPIV3Schema');
  const field = place === '' ? 'spec' : place;
  const path = place === '' ? 'spec.validation.openAPIV3Schema' : `${place}.schema.openAPIV3Schema`;
  if (!isObject(schema)) return [required(`${place || 'spec.versions[0]'}.schema.openAPIV3Schema`, '')];
  const violations = schemaViolations(schema as Schema, path);
  if (schema['type'] !== 'object') violations.push(wrong(`${path}.type`, schema['type'], 'must be object at the root'));
  const scale = at(version, 'subresources', 'scale');
  if (isObject(scale)) violations.push(...scaleViolations(scale, `${field}.subresources.scale`));
  for (const [index, column] of asArray(at(version, 'additionalPrinterColumns')).entries()) {
    const where = `${field}.additionalPrinterColumns[${index}]`;
    if (!COLUMN_TYPES.includes(asString(at(column, 'type')))) {
      violations.push(wrong(`${where}.type`, at(column, 'type'), `must be one of ${COLUMN_TYPES.join(',')}`));
    }
    if (!asString(at(column, 'jsonPath')).startsWith('.')) {
      violations.push(wrong(`${where}.JSONPath`, at(column, 'jsonPath'), 'must be a simple json path starting with .'));
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
    if (!path.startsWith('.')) return [wrong(`${field}.${name}`, path, 'must be a simple json path starting with .')];
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
    violations.push(
      prohibited(`${field}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    );
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
  return [
    ...violations,
    ...choiceViolations(schema, field),
    ...patternViolations(schema, field),
    ...listViolations(schema, field),
    ...defaultViolations(schema, field),
    ...rulesViolations(schema, field),
  ];
}

const CHOICES = ['anyOf', 'oneOf', 'allOf'];

/** A choice only narrows. */
function choiceViolations(schema: Schema, field: string): Violation[] {
  if (schema['x-kubernetes-int-or-string'] === true) return [];
  return CHOICES.flatMap((name) =>
    asArray(schema[name] as Json | undefined).flatMap((part, index) =>
      at(part, 'type') === undefined
        ? []
        : [prohibited(`${field}.${name}[${index}].type`, 'must be empty to be structural')],
    ),
  );
}

function patternViolations({ pattern }: Schema, field: string): Violation[] {
  if (typeof pattern !== 'string') return [];
  try {
    new RegExp(pattern, 'u');
    return [];
  } catch {
    return [wrong(`${field}.pattern`, pattern, "must be a valid regular expression, but isn't")];
  }
}

const unsupported = (field: string, value: string, supported: readonly string[]): Violation => ({
  field,
  type: 'FieldValueNotSupported',
  message: `Unsupported value: "${value}": supported values: ${supported.map((one) => `"${one}"`).join(', ')}`,
});

function listViolations(schema: Schema, field: string): Violation[] {
  const kind = schema['x-kubernetes-list-type'];
  const { items } = schema;
  const place = `${field}.x-kubernetes-list-type`;
  if (kind !== undefined && !LIST_TYPES.includes(kind)) return [unsupported(place, kind, LIST_TYPES)];
  if (kind !== 'map' && schema['x-kubernetes-list-map-keys'] !== undefined)
    return [required(place, 'must be map if x-kubernetes-list-map-keys is non-empty')];
  if (kind === 'set') {
    const atomic = items?.['x-kubernetes-map-type'] === 'atomic' || items?.['x-kubernetes-list-type'] === 'atomic';
    const scalar = items?.type !== 'object' && items?.type !== 'array';
    const marker = `${field}.items.x-kubernetes-${items?.type === 'array' ? 'list' : 'map'}-type`;
    const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
    return scalar || atomic ? [] : [wrong(marker, null, why)];
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
  // The text names the place within the default.
  return structuralViolations(schema.default, schema).map((violation) => ({
    ...violation,
    field: `${field}.default${violation.field === '<nil>' ? '' : `.${violation.field}`}`,
  }));
}
