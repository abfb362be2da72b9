import { isDeepStrictEqual } from 'node:util';

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field of the object itself: never one that it inherits, such as `constructor`. */
export const own = <Value>(record: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined =>
  record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;

export const sameJson = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b);

/** `spec` + `size` -> `spec.size`; the root is ''. */
export const fieldPath = (parent: string, name: string): string => (parent === '' ? name : `${parent}.${name}`);

export const itemPath = (parent: string, index: number): string => `${parent}[${index}]`;

export const keyPath = (parent: string, key: string): string => `${parent}[${key}]`;

/** The value at a path as these functions write it; undefined where there is none. */
export function valueAt(root: unknown, path: string): unknown {
  let value = root;
  for (const part of path.match(/[^.[\]]+|\[[^\]]*\]/g) ?? []) {
    const name = part.startsWith('[') ? part.slice(1, -1) : part;
    if (Array.isArray(value)) value = value[Number(name)];
    else if (isRecord(value)) value = own(value, name);
    else return undefined;
  }
  return value;
}
