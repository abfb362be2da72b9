const INITIAL_BYTES = 4096;

/** A growing buffer that is used again and again: what was written since `clear()` is `bytes()`. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

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
