import type { FieldValidation } from '../objects/decode.ts';
import type { Call } from '../state.ts';
import { badRequest, invalidOptions } from '../status.ts';

const KINDS: { readonly [verb: string]: string } = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
  deletecollection: 'DeleteOptions',
};

const optionsOf = ({ verb }: Call): string => KINDS[verb] ?? 'ListOptions';

export function isDryRun(call: Call): boolean {
  const values = call.query.getAll('dryRun');
  if (values.some((value) => value !== 'All')) {
    const message = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
    throw invalidOptions(optionsOf(call), { field: 'dryRun', type: 'FieldValueNotSupported', message });
  }
  return values.length > 0;
}

const LONGEST_MANAGER = 128;

/** @throws StatusError 422 for options that make no sense. Source: apimachinery `metav1/validation`. */
export function checkOptions(call: Call): void {
  isDryRun(call);
  fieldValidation(call);
  if ((call.query.get('fieldManager') ?? '').length <= LONGEST_MANAGER) return;
  const message = `Too long: may not be more than ${LONGEST_MANAGER} bytes`;
  throw invalidOptions(optionsOf(call), { field: 'fieldManager', type: 'FieldValueTooLong', message });
}

export function fieldValidation(call: Call): FieldValidation {
  const value = call.query.get('fieldValidation') ?? '';
  if (value === '') return 'Warn';
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value;
  const message = `Unsupported value: "${value}": supported values: "", "Ignore", "Strict", "Warn"`;
  throw invalidOptions(optionsOf(call), { field: 'fieldValidation', type: 'FieldValueNotSupported', message });
}

/** The manager of a write: as named, else the program of the user agent. */
export function fieldManager(call: Call): string {
  const named = call.query.get('fieldManager') ?? '';
  if (named !== '') return named;
  return call.userAgent.split('/')[0]?.slice(0, 128) || 'unknown';
}

export function integer(call: Call, name: string): number | undefined {
  const text = call.query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  return value;
}

export const writer = (call: Call, operation: 'Apply' | 'Update', time: string) => ({
  name: fieldManager(call),
  operation,
  apiVersion: call.resource.group === '' ? call.resource.version : `${call.resource.group}/${call.resource.version}`,
  subresource: call.subresource,
  // The entry of a scale has no time. Source: apimachinery `managedfields/scalehandler.go`.
  time: call.subresource === 'scale' ? '' : time,
});
