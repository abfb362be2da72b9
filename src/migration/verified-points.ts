/** The hashes of all points at the moment of verification, given up beyond a limit. */
export class VerifiedPoints {
  readonly #ranges = new Map<number, bigint[]>();
  readonly #limit: number;
  #count = 0;
  #complete = true;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** False once there were more points than the limit: then nothing is remembered. */
  get isComplete(): boolean {
    return this.#complete;
  }

  add(range: number, hash: bigint): void {
    if (!this.#complete) return;
    this.#count += 1;
    if (this.#count > this.#limit) {
      this.#complete = false;
      this.#ranges.clear();
      return;
    }
    const known = this.#ranges.get(range);
    if (known === undefined) this.#ranges.set(range, [this.key(hash)]);
    else known.push(this.key(hash));
  }

  /** Before a range is read again. */
  forget(range: number): void {
    this.#count -= this.#ranges.get(range)?.length ?? 0;
    this.#ranges.delete(range);
  }

  of(range: number): ReadonlySet<bigint> {
    return new Set(this.#ranges.get(range) ?? []);
  }

  /** The 64 bits of a point's hash that are kept. */
  key(hash: bigint): bigint {
    return BigInt.asUintN(64, hash);
  }
}
