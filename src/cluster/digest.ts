import { createHash } from 'node:crypto';

/** SHA-256 in hex, shortened to 32 digits, of a value's JSON with its keys in order: equal for equal values. */
export const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(sorted(value)) ?? '')
    .digest('hex')
    .slice(0, 32);

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]));
}

export const sameValue = (a: unknown, b: unknown): boolean => digestOf(a) === digestOf(b);
