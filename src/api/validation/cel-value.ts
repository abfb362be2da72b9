import { type CelInput, isCelError, parse, plan } from '@bufbuild/cel';
import type { StructuralSchema } from '../schema/types.ts';
import { CEL_ENVIRONMENT } from './cel-environment.ts';
import { isRecord, own } from './json.ts';

const toTimestamp = plan(CEL_ENVIRONMENT, parse('timestamp(text)'));

/** Words that CEL reserves; Kubernetes writes such a field `__word__`. */
const RESERVED = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return'.split(' '),
);

/** Source: kubernetes.io/docs, "CEL validation rules", escaping of field names. */
export function celFieldName(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

function fields(schema: StructuralSchema, value: Record<string, unknown>): Map<string, CelInput> {
  const { properties, additionalProperties } = schema;
  const map = new Map<string, CelInput>();
  for (const [name, field] of Object.entries(value)) {
    const known = own(properties, name);
    // CEL sees declared fields only: unknown ones that are preserved stay out of its reach.
    if (known !== undefined) {
      if (field !== null || known.nullable === true) map.set(celFieldName(name), toCelInput(known, field));
    } else if (typeof additionalProperties === 'object') {
      map.set(name, toCelInput(additionalProperties, field));
    }
  }
  return map;
}

/**
 * A JSON value as CEL sees it through its schema: integers are ints and not doubles, times are timestamps.
 * Source: k8s.io/apiserver `pkg/cel/common/schemas.go`.
 */
export function toCelInput(schema: StructuralSchema, value: unknown): CelInput {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    const isInt = schema.type === 'integer' || (schema.type !== 'number' && Number.isInteger(value));
    return isInt && Number.isInteger(value) ? BigInt(value) : value;
  }
  if (typeof value === 'string') {
    const time = schema.format === 'date-time' ? toTimestamp({ text: value }) : value;
    return isCelError(time) ? value : time;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => toCelInput(schema.items ?? {}, item));
  return isRecord(value) ? fields(schema, value) : null;
}
