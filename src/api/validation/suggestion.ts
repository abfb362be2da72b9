import type { StructuralSchema } from '../schema/types.ts';
import { fieldPath } from './json.ts';
import type { UnknownField } from './unknown-fields.ts';

const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '');

/** Edits (insert, delete, replace, swap of neighbours) between two words. */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let best = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + cost);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(best);
    }
    [beforeLast, last] = [last, current];
  }
  return last[b.length] ?? 0;
}

/** All fields of a schema by their path, without list indexes. */
function allPaths(schema: StructuralSchema, path: string): string[] {
  const inside =
    schema.items ?? (typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined);
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const inner = fieldPath(path, name);
    return [inner, ...allPaths(field, inner)];
  });
  return inside === undefined ? fields : [...fields, ...allPaths(inside, path)];
}

const lastName = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/** The field that was most likely meant: the nearest beside it, or one of that name elsewhere in the spec. */
export function suggest(schema: StructuralSchema, unknown: UnknownField): string | undefined {
  const name = lastName(unknown.path);
  const parent = unknown.path.slice(0, Math.max(0, unknown.path.length - name.length - 1));
  const near = unknown.siblings
    .map((sibling) => ({ sibling, edits: distance(plain(name), plain(sibling)) }))
    .toSorted((a, b) => a.edits - b.edits)[0];
  if (near !== undefined && near.edits <= Math.max(1, Math.floor(name.length / 3)))
    return fieldPath(parent, near.sibling);
  const spec = schema.properties?.['spec'];
  return spec === undefined ? undefined : allPaths(spec, 'spec').find((path) => plain(lastName(path)) === plain(name));
}
