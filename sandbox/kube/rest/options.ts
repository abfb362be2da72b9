import type { FieldValidation } from '../objects/decode.ts';
import type { Call } from '../state.ts';
import { badRequest } from '../status.ts';

export function isDryRun(call: Call): boolean {
  const values = call.query.getAll('dryRun');
  if (values.some((value) => value !== 'All'))
    throw badRequest(`dryRun: Unsupported value: "${values.join()}": supported values: "All"`);
  return values.length > 0;
}

export function fieldValidation(call: Call): FieldValidation {
  const value = call.query.get('fieldValidation') ?? '';
  if (value === '') return 'Warn';
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value;
  throw badRequest(`fieldValidation: Unsupported value: "${value}": supported values: "Ignore", "Strict", "Warn"`);
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
  time,
});
