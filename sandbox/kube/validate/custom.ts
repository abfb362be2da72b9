import { evaluateRules } from '../../../src/api/validation/rules.ts';
import type { ApiObject } from '../objects.ts';
import type { Schema } from '../schema.ts';
import type { Violation, ViolationType } from '../status.ts';
import type { Resource } from '../types/resource.ts';
import { structuralViolations } from './structural.ts';

const UNCHECKED: Violation = {
  field: '<nil>',
  type: 'FieldValueInvalid',
  message:
    'Invalid value: "null": some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

const hasRules = (schema: unknown): boolean => JSON.stringify(schema).includes('"x-kubernetes-validations"');
const ruled = new WeakMap<object, boolean>();

/** Metadata is checked apart, by its own rules. */
function withoutMetadata(schema: Schema): Schema {
  const declared = Object.entries(schema.properties ?? {}).filter(([name]) => name !== 'metadata');
  return { ...schema, properties: Object.fromEntries(declared) };
}

function carriesRules(resource: Resource): boolean {
  const known = ruled.get(resource.schema);
  if (known !== undefined) return known;
  const found = Object.entries(resource.schema.properties ?? {}).some(
    ([name, property]) => name !== 'metadata' && hasRules(property),
  );
  const result = found || resource.schema['x-kubernetes-validations'] !== undefined;
  ruled.set(resource.schema, result);
  return result;
}

/** What breaks the schema or the CEL rules of a custom kind; `live` is the object before an update. */
export function customViolations(resource: Resource, object: ApiObject, live: ApiObject | undefined): Violation[] {
  const violations = structuralViolations(object, withoutMetadata(resource.schema));
  if (!carriesRules(resource)) return violations;
  if (violations.length > 0) return [...violations, UNCHECKED];
  return evaluateRules(resource.schema as Parameters<typeof evaluateRules>[0], object, live).map(
    ({ field, message, reason }) => ({
      field: field === '' ? '<nil>' : field,
      type: reason as ViolationType,
      message: ruleMessage(reason, message),
    }),
  );
}

/** CEL rules look at containers, which are shown by their type. */
function ruleMessage(reason: string, message: string): string {
  if (reason === 'FieldValueForbidden') return `Forbidden: ${message}`;
  if (reason === 'FieldValueRequired') return `Required value: ${message}`;
  return reason === 'FieldValueDuplicate'
    ? `Duplicate value: "object": ${message}`
    : `Invalid value: "object": ${message}`;
}
