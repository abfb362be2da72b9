import { parse } from '@bufbuild/cel';
import { asArray, asString, at, type Json } from '../json.ts';
import type { Schema } from '../schema.ts';
import type { Violation } from '../status.ts';

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

const wrong = (field: string, value: string, why: string): Violation => ({
  field,
  type: 'FieldValueInvalid',
  message: `Invalid value: ${value}: ${why}`,
});

/** What is wrong with the CEL rules of one schema. Source: apiextensions-apiserver `validation.ValidateCustomResourceDefinition`. */
export const rulesViolations = (schema: Schema, field: string): Violation[] =>
  asArray(schema['x-kubernetes-validations'] as Json | undefined).flatMap((rule, index) =>
    ruleViolations(rule, schema, `${field}.x-kubernetes-validations[${index}]`),
  );

function ruleViolations(rule: Json, schema: Schema, field: string): Violation[] {
  const text = asString(at(rule, 'rule'));
  const message = asString(at(rule, 'message'));
  const reason = at(rule, 'reason');
  const path = asString(at(rule, 'fieldPath'));
  const violations: Violation[] = [];
  if (text.trim() === '') {
    violations.push({
      field: `${field}.rule`,
      type: 'FieldValueRequired',
      message: 'Required value: rule is not specified',
    });
  } else if (!isExpression(text)) {
    violations.push(wrong(`${field}.rule`, shown(rule), 'compilation failed'));
  }
  if (/[\n\r]/.test(message))
    violations.push(wrong(`${field}.message`, JSON.stringify(message), 'must not contain line breaks'));
  if (reason !== undefined && !REASONS.includes(asString(reason))) {
    const words = REASONS.map((one) => `"${one}"`).join(', ');
    const told = `Unsupported value: ${JSON.stringify(reason)}: supported values: ${words}`;
    violations.push({ field: `${field}.reason`, type: 'FieldValueNotSupported', message: told });
  }
  if (path !== '' && !leads(schema, path)) {
    violations.push(wrong(`${field}.fieldPath`, JSON.stringify(path), 'must be a valid path'));
  }
  return violations;
}

function isExpression(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The rule under the names of Go's fields. */
const shown = (rule: Json): string =>
  JSON.stringify({
    Rule: at(rule, 'rule') ?? '',
    Message: at(rule, 'message') ?? '',
    MessageExpression: at(rule, 'messageExpression') ?? '',
    Reason: at(rule, 'reason') ?? null,
    FieldPath: at(rule, 'fieldPath') ?? '',
    OptionalOldSelf: at(rule, 'optionalOldSelf') ?? null,
  });

/** Whether a path like `.a.b` or `.a['b']` names a field that the schema declares. */
function leads(schema: Schema, path: string): boolean {
  const names = (path.match(/\.[^.[\]]+|\['[^']*'\]/g) ?? []).map((part) => part.replaceAll(/^\.|^\['|'\]$/g, ''));
  let current: Schema | undefined = schema;
  for (const name of names) {
    const values: unknown = current.additionalProperties;
    current =
      current.properties?.[name] ?? (typeof values === 'object' && values !== null ? (values as Schema) : undefined);
    if (current === undefined) return false;
  }
  return names.length > 0;
}
