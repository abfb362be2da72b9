const INITIAL_BYTES = 4096;
/** Of a float32. */
const EXPONENT = 0x7f800000;
const MINUS_ZERO = 0x80000000;
const NOT_A_NUMBER = 0x7fc00000;

/** A growing buffer that is used again and again: what was written since `clear()` is `bytes()`. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;
  #words = new Uint32Array(1024);

  clear(): void {
    this.#length = 0;
  }

  /** Valid until the next write or clear. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    const at = this.#reserve(1);
    this.#bytes.writeUInt8(value, at);
  }

  uint32(value: number): void {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32LE(value >>> 0, at);
  }

  uint64(value: bigint): void {
    const at = this.#reserve(8);
    this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
  }

  /** The text's length in bytes, then its UTF-8 bytes: no two texts run into each other. */
  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.uint32(length);
    const at = this.#reserve(length);
    this.#bytes.write(value, at);
  }

  /**
   * Their number, then each as float32. `-0` is written as `0`; whatever is not finite as one NaN, because REST
   * shows an infinity as `null` and gRPC as itself (measured: float16 overflow).
   */
  floats(values: readonly number[]): void {
    this.uint32(values.length);
    let at = this.#reserve(values.length * 4);
    for (const value of values) {
      const rounded = Math.fround(value);
      const finite = typeof value === 'number' && Number.isFinite(rounded);
      this.#bytes.writeFloatLE(finite ? (rounded === 0 ? 0 : rounded) : Number.NaN, at);
      at += 4;
    }
  }

  /** Begins a text whose length is known only at its end; give what it returns to `endText`. */
  beginText(): number {
    return this.#reserve(4);
  }

  endText(mark: number): void {
    this.#bytes.writeUInt32LE(this.#length - mark - 4, mark);
  }

  /** Characters of ASCII, without their length. */
  ascii(value: string): void {
    const at = this.#reserve(value.length);
    this.#bytes.write(value, at, 'latin1');
  }

  /** UTF-8 bytes without their length. */
  utf8(value: string): void {
    const length = Buffer.byteLength(value);
    const at = this.#reserve(length);
    this.#bytes.write(value, at);
  }

  copy(source: Buffer, start: number, end: number): void {
    const at = this.#reserve(end - start);
    source.copy(this.#bytes, at, start, end);
  }

  /** What `floats` writes, of little-endian float32 as protobuf packs them. */
  packedFloats(source: Buffer, start: number, end: number): void {
    const count = (end - start) >>> 2;
    this.uint32(count);
    if (count > this.#words.length) this.#words = new Uint32Array(count * 2);
    const words = this.#words;
    const view = Buffer.from(words.buffer, 0, count * 4);
    source.copy(view, 0, start, start + count * 4);
    for (let at = 0; at < count; at += 1) {
      const word = words[at] ?? 0;
      if (word === MINUS_ZERO) words[at] = 0;
      else if ((word & EXPONENT) === EXPONENT) words[at] = NOT_A_NUMBER;
    }
    this.copy(view, 0, view.length);
  }

  /** Makes room; `#bytes` may be another buffer afterwards. */
  #reserve(length: number): number {
    const at = this.#length;
    this.#length += length;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }
}
