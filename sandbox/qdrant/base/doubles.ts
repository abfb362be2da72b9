import type { Json, JsonObject } from './json-value.ts';

/**
 * The server keeps `1.0` and `1` apart in payloads, a JavaScript number can't. A whole double is kept as a boxed number:
 * it survives serialisation, computes like a number, and is told from an integer by its type.
 */
export const wholeDouble = (value: number): Json => Object(value) as number;

export const isWholeDouble = (value: unknown): boolean => value instanceof Number;

/** The plain number of a whole double; other values as they are. */
export const withoutBox = (value: Json): Json => (value instanceof Number ? value.valueOf() : value);

// The type library doesn't know `JSON.rawJSON` yet.
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** What `JSON.stringify` writes as exactly this text. */
export const rawJson = (text: string): unknown => rawJSON(text);

/** A payload for `JSON.stringify`: whole doubles become `1.0`. */
export function doublesToJson(value: Json): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Number) return rawJson(doubleText(value.valueOf()));
  if (Array.isArray(value)) return value.map(doublesToJson);
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, inner]) => [key, doublesToJson(inner ?? null)]),
  );
}

function doubleText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  return text.includes('e') ? text : `${text}.0`;
}
