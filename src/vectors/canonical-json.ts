/** Writes a floating-point number apart from an integer of the same value: Qdrant's integer indexes tell `1` from `1.0`. */
const float = (value: number): string => (Number.isFinite(value) ? `f${value === 0 ? 0 : value}` : 'null');

function numeric(value: number): string {
  if (Object.is(value, -0)) return 'i0';
  return Number.isInteger(value) ? `i${BigInt(value)}` : float(value);
}

/**
 * One text for equal JSON values: keys sorted, integers and floats told apart, `-0` = `0`, absent = undefined.
 *
 * An instance of a class whose `valueOf` gives a number stands for a float that was written with a fraction of zero (`1.0`).
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return numeric(value);
    case 'bigint':
      return `i${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : composite(value);
    case 'undefined':
    case 'function':
    case 'symbol':
      return 'null';
  }
}

function composite(value: object): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isPlain(value)) {
    const primitive: unknown = value.valueOf();
    if (typeof primitive === 'number') return float(primitive);
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** A JSON object may itself have a member `valueOf`. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
