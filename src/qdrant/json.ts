/** Node's JSON beyond what the compiler's library knows: source texts of numbers, and numbers written as they are. */
const exactJson = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
};

/** A number that was written as a floating-point number although its value is integral, like `1.0`. */
export class Double {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  valueOf(): number {
    return this.value;
  }

  toJSON(): unknown {
    return exactJson.rawJSON(doubleText(this.value));
  }
}

export type Json = null | boolean | string | number | bigint | Double | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

const doubleText = (value: number): string => {
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
};

/** Integers of 16 digits and more; one inside a string only costs time. */
const LONG_INTEGER = /(?:^|[[:,\s])-?\d{16,}(?:$|[,\]}\s])/;
/** Floats that may be integral: `1.0`, `1e20`, `1.5e3`. */
const INTEGRAL_DOUBLE = /(?:^|[[:,\s])-?\d+(?:\.0+|(?:\.\d+)?[eE]\+?\d+)(?:$|[,\]}\s])/;

/**
 * JSON without loss: integers beyond 2^53 become bigints, and with `doubles` integral floats become `Double`.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string, { doubles = false } = {}): unknown {
  const exactDoubles = doubles && INTEGRAL_DOUBLE.test(text);
  // A reviver is called once a number, so it is used only where a number needs it.
  if (!exactDoubles && !LONG_INTEGER.test(text)) return JSON.parse(text);
  return exactJson.parse(text, (_key, value, context) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) return value;
    const source = context.source ?? '';
    if (/[.eE]/.test(source)) return exactDoubles ? new Double(value) : value;
    return Number.isSafeInteger(value) ? value : BigInt(source);
  });
}

/** The JSON text of a value that may hold bigints and `Double`s. NaN and the infinities become null: check before. */
export function stringifyJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // A bigint: JSON.stringify refuses it unless every value goes through a replacer.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_key, item: unknown) =>
      typeof item === 'bigint' ? exactJson.rawJSON(item.toString()) : item,
    );
  }
}
