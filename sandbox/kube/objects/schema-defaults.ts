import { clone, isArray, isObject, type Json, type JsonObject } from '../json.ts';
import { fieldSchema, type Schema } from '../schema.ts';

/** Sets, in place, the defaults of a structural schema, also inside of defaulted values. */
export function schemaDefaults(value: Json | undefined, schema: Schema | undefined): void {
  if (schema === undefined) return;
  if (isArray(value)) for (const item of value) schemaDefaults(item, schema.items);
  if (!isObject(value)) return;
  setMissing(value, schema);
  for (const [name, child] of Object.entries(value)) schemaDefaults(child, fieldSchema(schema, name));
}

function setMissing(value: JsonObject, schema: Schema): void {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (value[name] === undefined && property.default !== undefined) value[name] = clone(property.default);
  }
}
