import { at, type Json, type JsonObject, put } from '../json.ts';

/** Sets the field when it is absent. */
export function fill(object: JsonObject, path: readonly string[], value: Json): void {
  if (at(object, ...path) === undefined) put(object, path, value);
}
