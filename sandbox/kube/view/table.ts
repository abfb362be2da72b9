import { type Json, type JsonObject, textOf } from '../json.ts';
import type { ApiObject } from '../objects.ts';
import type { Call } from '../state.ts';
import type { Column, Resource } from '../types/resource.ts';
import { age } from './age.ts';
import { BUILTIN_COLUMNS, type BuiltinColumn } from './columns.ts';
import { jsonPath } from './json-path.ts';

type Cell = { readonly column: Column; readonly read: (object: ApiObject, now: number) => Json };

const NAME: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  priority: 0,
};

function cellsOf(resource: Resource): Cell[] {
  const name: Cell = { column: NAME, read: (object) => object.metadata.name };
  if (resource.custom !== undefined) return [name, ...resource.custom.columns.map(customCell)];
  const columns = BUILTIN_COLUMNS[resource.storedAs];
  if (columns === undefined)
    return [name, builtinCell(['Age', (object, now) => age(object.metadata.creationTimestamp, now)])];
  return [...(columns.some(([title]) => title === 'Name') ? [] : [name]), ...columns.map(builtinCell)];
}

const builtinCell = ([name, read, priority = 0]: BuiltinColumn): Cell => ({
  column: { name, type: 'string', format: name === 'Name' ? 'name' : '', description: '', priority },
  read,
});

function customCell(column: Column & { readonly jsonPath: string }): Cell {
  const { name, type, format, description, priority } = column;
  return {
    column: { name, type, format, description, priority },
    read: (object, now) => {
      const values = jsonPath(object, column.jsonPath);
      const [first] = values;
      if (first === undefined || first === null) return null;
      if (type === 'date') return typeof first === 'string' ? age(first, now) : null;
      if (type === 'integer' || type === 'number' || type === 'boolean') return first;
      return values.length > 1 ? values.map(textOf).join(',') : textOf(first);
    },
  };
}

/** Objects as the rows of a `Table`. */
export function table(call: Call, objects: readonly ApiObject[], metadata: JsonObject): JsonObject {
  const cells = cellsOf(call.resource);
  const include = call.query.get('includeObject') ?? 'Metadata';
  const now = call.state.now();
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: cells.map(({ column }) => ({ ...column })),
    rows: objects.map((object) => ({
      cells: cells.map(({ read }) => read(object, now)),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : metadataOf(object) }),
    })),
  };
}

const metadataOf = (object: ApiObject): JsonObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
});
