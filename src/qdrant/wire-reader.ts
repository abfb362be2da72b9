const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** A field of a protobuf message: its number, and where its value begins and ends (of a text or message, its content). */
export type Field = { number: number; wireType: number; start: number; end: number };

/**
 * Walks over the fields of a protobuf message without decoding what nobody asks for. One field object is used for all.
 *
 * @throws RangeError for bytes that are no message
 */
export class WireReader {
  readonly bytes: Buffer;
  readonly field: Field = { number: 0, wireType: 0, start: 0, end: 0 };
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Goes on to the next field; false at the end. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#length();
    const { field } = this;
    field.number = tag >>> 3;
    field.wireType = tag & 7;
    if (field.wireType === DELIMITED) {
      const length = this.#length();
      field.start = this.#at;
      this.#at += length;
    } else {
      field.start = this.#at;
      this.#skip(field.wireType);
    }
    field.end = this.#at;
    if (this.#at > this.#end) throw new RangeError('a message ends in the middle of a field');
    return true;
  }

  #skip(wireType: number): void {
    if (wireType === VARINT) while ((this.bytes[this.#at++] ?? 0) & 0x80);
    else if (wireType === FIXED64) this.#at += 8;
    else if (wireType === FIXED32) this.#at += 4;
    else throw new RangeError(`wire type ${wireType} is not read here`);
  }

  /** A varint of at most 32 bits: tags and lengths. */
  #length(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a length is too long');
  }
}

/** The unsigned varint at a place: a bigint beyond 2^53. */
export function unsignedAt(bytes: Buffer, start: number): number | bigint {
  let value = 0;
  for (let at = start, shift = 1; at < start + 7; at += 1, shift *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * shift;
    if (byte < 0x80) return value;
  }
  const whole = BigInt.asUintN(64, bigVarintAt(bytes, start));
  return whole <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(whole) : whole;
}

/** The int64 varint at a place. */
export function signedAt(bytes: Buffer, start: number): number | bigint {
  const value = unsignedAt(bytes, start);
  return typeof value === 'number' ? value : BigInt.asIntN(64, value);
}

function bigVarintAt(bytes: Buffer, start: number): bigint {
  let value = 0n;
  for (let at = start, shift = 0n; shift < 70n; at += 1, shift += 7n) {
    const byte = bytes[at] ?? 0;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw new RangeError('a number is too long');
}

/** How many bytes the varint at the beginning takes. */
export function varintSize(bytes: Uint8Array): number {
  let size = 1;
  while ((bytes[size - 1] ?? 0) & 0x80) size += 1;
  return size;
}

/** Of at most 2^53. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}
