import { isObject } from '../json.ts';
import type { ManagedFieldsEntry } from '../objects.ts';
import { type FieldSet, fromJson, isEmpty, toJson } from './field-set.ts';

/** One entry of managedFields, decoded. */
export type Manager = {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
};

export type ManagerId = Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>;

/** An applier is one whatever version it applies in; an updater is one per version. */
export const sameManager = (a: ManagerId, b: ManagerId): boolean =>
  a.name === b.name &&
  a.operation === b.operation &&
  a.subresource === b.subresource &&
  (a.operation === 'Apply' || a.apiVersion === b.apiVersion);

export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Manager[] {
  return (entries ?? [])
    .filter((entry) => isObject(entry.fieldsV1))
    .map((entry) => ({
      name: entry.manager,
      operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
      apiVersion: entry.apiVersion,
      subresource: entry.subresource ?? '',
      time: entry.time ?? '',
      fields: fromJson(entry.fieldsV1),
    }));
}

const order = (manager: Manager): string[] => [
  manager.operation,
  manager.time,
  manager.name,
  manager.apiVersion,
  manager.subresource,
];

function byOrder(a: Manager, b: Manager): number {
  const right = order(b);
  for (const [index, value] of order(a).entries()) {
    const other = right[index] ?? '';
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

export function encodeManagers(managers: readonly Manager[]): ManagedFieldsEntry[] {
  return managers
    .filter((manager) => !isEmpty(manager.fields))
    .toSorted(byOrder)
    .map((manager) => ({
      manager: manager.name,
      operation: manager.operation,
      apiVersion: manager.apiVersion,
      ...(manager.time === '' ? {} : { time: manager.time }),
      fieldsType: 'FieldsV1',
      fieldsV1: toJson(manager.fields),
      ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
    }));
}
