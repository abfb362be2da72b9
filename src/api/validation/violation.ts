/** One thing that is wrong with an object. */
export type Violation = {
  /** Path like `spec.shards.number`; `metadata` where it is about the whole object. */
  readonly field: string;
  /** What stands there; undefined where nothing does. Objects and secrets are not shown. */
  readonly value: unknown;
  /** What it must be. */
  readonly rule: string;
  /** Kind of error in the words of a Kubernetes Status cause. */
  readonly reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueTypeInvalid';
};

const SECRET_NAME = /(api_?key|password|passwd|token|secret|credentials?)$/i;

/** What may be shown of a value: scalars, except where the name of the field says that it is a secret. */
export function presentable(field: string, value: unknown): unknown {
  if (value === undefined) return undefined;
  if (SECRET_NAME.test(field)) return '(not shown)';
  if (Array.isArray(value)) return '(list)';
  return typeof value === 'object' && value !== null ? '(object)' : value;
}
