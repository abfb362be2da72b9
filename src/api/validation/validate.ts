import { KINDS, kindNamed } from '../kinds.ts';
import { API_VERSION, type KindDescriptor } from '../object.ts';
import { PATTERN_MEANINGS } from '../schema/shapes.ts';
import { applySchemaDefaults } from './defaults.ts';
import { isRecord, valueAt } from './json.ts';
import { evaluateRules } from './rules.ts';
import { validateStructural } from './structural.ts';
import { suggest } from './suggestion.ts';
import { unknownFields } from './unknown-fields.ts';
import { presentable, type Violation } from './violation.ts';

const NAME_PATTERN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const notSupported = (field: string, value: unknown, words: readonly string[]): Violation => ({
  field,
  value: presentable(field, value),
  rule: `must be ${words.length === 1 ? '' : 'one of '}${words.join(', ')}`,
  reason: 'FieldValueNotSupported',
});

function checkMetadata(object: Record<string, unknown>): Violation[] {
  const metadata = object['metadata'];
  const name = isRecord(metadata) ? metadata['name'] : undefined;
  if (name === undefined) {
    return [{ field: 'metadata.name', value: undefined, rule: 'Required value', reason: 'FieldValueRequired' }];
  }
  if (typeof name === 'string' && name.length <= 253 && NAME_PATTERN.test(name)) return [];
  const rule = 'must be a lowercase DNS subdomain of at most 253 characters';
  return [{ field: 'metadata.name', value: presentable('metadata.name', name), rule, reason: 'FieldValueInvalid' }];
}

function checkUnknown({ schema }: KindDescriptor, object: unknown): Violation[] {
  return unknownFields(schema, object).map((unknown) => {
    const meant = suggest(schema, unknown);
    const rule = meant === undefined ? 'unknown field' : `unknown field; did you mean ${meant}?`;
    return { field: unknown.path, value: presentable(unknown.path, unknown.value), rule, reason: 'FieldValueInvalid' };
  });
}

/** Without the field, which stands beside it, and without an expression where words say the same. */
function readable(violation: Violation): Violation {
  const rule = violation.rule.replace(`${violation.field} in body `, '');
  const pattern = /^should match '(.*)'$/s.exec(rule)?.[1] ?? '';
  return { ...violation, rule: PATTERN_MEANINGS.get(pattern) ?? rule };
}

const REASONS = new Set<Violation['reason']>(['FieldValueRequired', 'FieldValueForbidden', 'FieldValueDuplicate']);

function checkRules({ schema }: KindDescriptor, object: unknown, old: unknown): Violation[] {
  return evaluateRules(schema, object, old).map(({ field, message, reason }) => ({
    field: field === '' ? 'metadata' : field,
    value: field === '' ? undefined : presentable(field, valueAt(object, field)),
    rule: message,
    reason: [...REASONS].find((known) => known === reason) ?? 'FieldValueInvalid',
  }));
}

/**
 * Everything that is wrong with an object of one of the four kinds, by the rules of the API server and more:
 * an unknown field is named, not dropped. Rules across fields are asked only where every field is well-formed.
 *
 * @param options.old the object as it was, on a change: asks the rules about what may change, too
 * @returns empty where nothing is wrong
 */
export function validate(object: unknown, options: { readonly old?: unknown } = {}): Violation[] {
  if (!isRecord(object)) {
    return [
      { field: 'metadata', value: presentable('', object), rule: 'must be an object', reason: 'FieldValueTypeInvalid' },
    ];
  }
  if (object['apiVersion'] !== API_VERSION) return [notSupported('apiVersion', object['apiVersion'], [API_VERSION])];
  const descriptor = kindNamed(String(object['kind']));
  if (descriptor === undefined)
    return [
      notSupported(
        'kind',
        object['kind'],
        KINDS.map(({ kind }) => kind),
      ),
    ];
  const { schema } = descriptor;
  const complete = applySchemaDefaults(schema, object);
  const shape = [
    ...checkMetadata(object),
    ...checkUnknown(descriptor, object),
    ...validateStructural(schema, complete).map(readable),
  ];
  if (shape.some(({ rule }) => !rule.startsWith('unknown field'))) return shape;
  const old = options.old === undefined ? undefined : applySchemaDefaults(schema, options.old);
  return [...shape, ...checkRules(descriptor, complete, old)];
}
