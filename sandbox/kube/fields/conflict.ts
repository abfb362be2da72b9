import type { Cause } from '../status.ts';
import { type FieldSet, intersection, isEmpty, pathsOf } from './field-set.ts';
import type { Manager } from './managers.ts';

type FieldConflict = { readonly manager: Manager; readonly fields: FieldSet };

/** Another manager owns what an apply would change. */
export class Conflict extends Error {
  readonly causes: Cause[];
  constructor(conflicts: readonly FieldConflict[]) {
    super(conflictMessage(conflicts));
    this.name = 'Conflict';
    this.causes = conflicts.flatMap(({ manager, fields }) =>
      pathsOf(fields).map((field) => ({
        reason: 'FieldManagerConflict',
        message: `conflict with ${describe(manager)}`,
        field,
      })),
    );
  }
}

export const conflictsWith = (others: readonly Manager[], changed: FieldSet): FieldConflict[] =>
  others
    .map((manager) => ({ manager, fields: intersection(manager.fields, changed) }))
    .filter(({ fields }) => !isEmpty(fields));

function describe({ name, subresource, apiVersion, operation }: Manager): string {
  const part = subresource === '' ? '' : ` with subresource "${subresource}"`;
  return `"${name}"${part}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
}

/** Source: apimachinery `managedfields/internal/conflict.go`. */
function conflictMessage(conflicts: readonly FieldConflict[]): string {
  const all = conflicts.flatMap(({ manager, fields }) => pathsOf(fields).map((path) => ({ manager, path })));
  const first = all[0];
  if (all.length === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${describe(first.manager)}: ${first.path}`;
  }
  const groups = conflicts
    .toSorted((a, b) => (a.manager.name < b.manager.name ? -1 : 1))
    .map(({ manager, fields }) => {
      const paths = pathsOf(fields).map((path) => `- ${path}`);
      return `conflicts with ${describe(manager)}:\n${paths.join('\n')}`;
    });
  return `Apply failed with ${all.length} conflicts: ${groups.join('\n')}`;
}
