import { isObject, type JsonObject } from '../json.ts';

/**
 * A set of field paths as a tree. Keys are path elements: `f:<name>`, `k:<json of keys>`, `v:<json>`.
 * Source: structured-merge-diff `fieldpath`, KEP-555 (FieldsV1).
 */
export type FieldSet = { member: boolean; readonly children: Map<string, FieldSet> };

export const emptySet = (): FieldSet => ({ member: false, children: new Map() });
export const leaf = (): FieldSet => ({ member: true, children: new Map() });

export const isEmpty = (set: FieldSet): boolean => !set.member && set.children.size === 0;

export function fromJson(fields: JsonObject): FieldSet {
  const set = emptySet();
  for (const [key, value] of Object.entries(fields)) {
    if (key === '.') set.member = true;
    else if (isObject(value)) {
      const child = fromJson(value);
      if (child.children.size === 0) child.member = true;
      set.children.set(key, child);
    }
  }
  return set;
}

export function toJson(set: FieldSet): JsonObject {
  const fields: JsonObject = {};
  if (set.member && set.children.size > 0) fields['.'] = {};
  for (const key of [...set.children.keys()].sort()) {
    const child = set.children.get(key);
    if (child !== undefined) fields[key] = toJson(child);
  }
  return fields;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const result: FieldSet = { member: a.member || b.member, children: new Map(a.children) };
  for (const [key, child] of b.children) {
    const other = result.children.get(key);
    result.children.set(key, other === undefined ? child : union(other, child));
  }
  return result;
}

/** What both sets name. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result: FieldSet = { member: a.member && b.member, children: new Map() };
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    if (other === undefined) continue;
    const both = intersection(child, other);
    if (!isEmpty(both)) result.children.set(key, both);
  }
  return result;
}

/** What `a` names and `b` doesn't, path by path. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const result: FieldSet = { member: a.member && !b.member, children: new Map() };
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    const rest = other === undefined ? child : difference(child, other);
    if (!isEmpty(rest)) result.children.set(key, rest);
  }
  return result;
}

export function sameSet(a: FieldSet, b: FieldSet): boolean {
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    if (other === undefined || !sameSet(child, other)) return false;
  }
  return true;
}

/**
 * Every path below the set as text, e.g. `.spec.ports[port=80,protocol="TCP"].name`: at each level first its members,
 * then what stands below them. Source: structured-merge-diff `fieldpath/set.go`.
 */
export function pathsOf(set: FieldSet, prefix = ''): string[] {
  const sorted = [...set.children].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const named = sorted.map(([key, child]) => [prefix + elementText(key), child] as const);
  return [
    ...named.filter(([, child]) => child.member).map(([path]) => path),
    ...named.flatMap(([path, child]) => pathsOf(child, path)),
  ];
}

function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as JsonObject);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}
