import type { JsonObject } from './json.ts';

export type Cause = { reason: string; message: string; field?: string };
export type StatusDetails = {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: Cause[];
  retryAfterSeconds?: number;
};
type Named = { group: string; plural: string };

/** An answer that is an error: thrown by handlers, written as a `Status` by the server. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;
  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.name = 'StatusError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }
}

export function statusObject(error: StatusError): JsonObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: error.message,
    ...(error.reason === '' ? {} : { reason: error.reason }),
    ...(error.details === undefined ? {} : { details: { ...error.details } }),
    code: error.code,
  };
}

export const qualified = (type: Named): string => (type.group === '' ? type.plural : `${type.plural}.${type.group}`);
const detailsOf = (type: Named, name: string): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(type.group === '' ? {} : { group: type.group }),
  kind: type.plural,
});

export const notFound = (type: Named, name: string): StatusError =>
  new StatusError(404, 'NotFound', `${qualified(type)} "${name}" not found`, detailsOf(type, name));

export const noSuchPath = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});

export const alreadyExists = (type: Named, name: string): StatusError =>
  new StatusError(409, 'AlreadyExists', `${qualified(type)} "${name}" already exists`, detailsOf(type, name));

export const conflict = (type: Named, name: string, why: string): StatusError =>
  new StatusError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(type)} "${name}": ${why}`,
    detailsOf(type, name),
  );

export const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

export const forbidden = (type: Named, name: string, why: string): StatusError =>
  new StatusError(
    403,
    'Forbidden',
    `${qualified(type)}${name === '' ? '' : ` "${name}"`} is forbidden: ${why}`,
    detailsOf(type, name),
  );

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message);

export const expired = (message: string): StatusError => new StatusError(410, 'Expired', message);

export const tooManyRequests = (message: string, retryAfterSeconds: number, causes?: Cause[]): StatusError =>
  new StatusError(429, 'TooManyRequests', message, {
    retryAfterSeconds,
    ...(causes === undefined ? {} : { causes }),
  });

/** A path of no group that is served: the answer comes from the router, in plain text. */
export class NoSuchPage extends Error {}

export const methodNotAllowed = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  new StatusError(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );

export const unknownPatchType = (): StatusError =>
  new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});

export const notModelled = (what: string): StatusError =>
  new StatusError(501, 'NotImplemented', `the sandbox API server does not model ${what}`);

export type Violation = { field: string; type: ViolationType; message: string };
/** Source: apimachinery `field.ErrorType`. */
export type ViolationType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueDuplicate'
  | 'FieldValueTypeInvalid';

/** 422 with one cause per violation. `message` of a violation is the text after the field. */
export function invalid(kind: { group: string; kind: string }, name: string, violations: Violation[]): StatusError {
  // What two checks say alike is told once, and is a cause twice.
  const texts = [...new Set(violations.map((violation) => `${violation.field}: ${violation.message}`))];
  const text = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const title = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  return new StatusError(422, 'Invalid', `${title} "${name}" is invalid: ${text}`, {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    ...(kind.kind === '' ? {} : { kind: kind.kind }),
    causes: violations.map(({ type, message, field }) => ({ reason: type, message, field })),
  });
}

/** 422 about the options of a request, e.g. `CreateOptions`. */
export const invalidOptions = (kind: string, violation: Violation): StatusError =>
  invalid({ group: 'meta.k8s.io', kind }, '', [violation]);
