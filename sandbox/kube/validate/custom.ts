import { evaluateRules } from '../../../src/api/validation/rules.ts';
import { at, isObject, type Json } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Schema } from '../schema.ts';
import type { Violation, ViolationType } from '../status.ts';
import type { Resource } from '../types/resource.ts';
import { structuralViolations } from './structural.ts';

const UNCHECKED: Violation = {
  field: '<nil>',
  type: 'FieldValueInvalid',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

/** Faults after which no rule is asked. Source: apiextensions-apiserver `hasBlockingErr`. */
const BLOCKING: ReadonlySet<ViolationType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

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
  const violations = [
    ...structuralViolations(object, withoutMetadata(resource.schema)),
    ...scaleViolations(resource, object),
  ];
  if (!carriesRules(resource)) return violations;
  if (violations.some(({ type }) => BLOCKING.has(type))) return [...violations, UNCHECKED];
  const broken = evaluateRules(resource.schema as Parameters<typeof evaluateRules>[0], object, live);
  return [
    ...violations,
    ...broken.map(({ field, message, reason, self }) => ({
      field: field === '' ? '<nil>' : field,
      type: reason as ViolationType,
      message: ruleMessage(reason, message, self as Json),
    })),
  ];
}

/** Source: apiextensions-apiserver `registry/customresource/validator.go`. */
function scaleViolations({ scale }: Resource, object: ApiObject): Violation[] {
  if (scale === undefined) return [];
  return [scale.specReplicasPath, scale.statusReplicasPath].flatMap((field): Violation[] => {
    const replicas = at(object, ...field.split('.').slice(1));
    if (replicas === undefined || (typeof replicas === 'number' && replicas >= 0)) return [];
    const type = 'FieldValueInvalid';
    if (typeof replicas === 'number') {
      return [{ field, type, message: `Invalid value: ${replicas}: should be a non-negative integer` }];
    }
    if (typeof replicas !== 'string') return [];
    const why = `${field} accessor error: ${replicas} is of the type string, expected int64`;
    return [{ field, type, message: `Invalid value: 0: ${why}` }];
  });
}

/** Of what the rule looked at, scalars are shown, containers not. */
function ruleMessage(reason: string, message: string, self: Json): string {
  const shown = isObject(self) || Array.isArray(self) ? '' : `${JSON.stringify(self)}: `;
  if (reason === 'FieldValueForbidden') return `Forbidden: ${message}`;
  if (reason === 'FieldValueRequired') return `Required value: ${message}`;
  return reason === 'FieldValueDuplicate'
    ? `Duplicate value: ${JSON.stringify(self)}`
    : `Invalid value: ${shown}${message}`;
}

/** A change of the status is checked apart, where messages count from the status on. */
export function statusViolations(resource: Resource, object: ApiObject, live: ApiObject | undefined): Violation[] {
  return customViolations(resource, object, live)
    .filter(({ field }) => field === '<nil>' || field.startsWith('status'))
    .map((violation) => ({ ...violation, message: violation.message.replace(/: status\.(?=\S* in body )/, ': ') }));
}
