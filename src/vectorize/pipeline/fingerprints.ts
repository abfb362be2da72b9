import { hash } from 'node:crypto';

const START = 1024;
/** Full to so much, a table is made twice as large. */
const LOAD = 0.6;

/**
 * A set of texts, of which it keeps 64 bits each: 27 bytes at most for a text of any length. Two texts are taken for
 * one with a chance of one in 2^64 for each pair.
 */
export class Fingerprints {
  #slots = new BigUint64Array(START);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns whether it is new */
  add(text: string): boolean {
    if (this.#size + 1 > this.#slots.length * LOAD) this.#grow();
    const print = fingerprint(text);
    const at = place(this.#slots, print);
    if (this.#slots[at] === print) return false;
    this.#slots[at] = print;
    this.#size += 1;
    return true;
  }

  has(text: string): boolean {
    const print = fingerprint(text);
    return this.#slots[place(this.#slots, print)] === print;
  }

  #grow(): void {
    const larger = new BigUint64Array(this.#slots.length * 2);
    for (const print of this.#slots) if (print !== 0n) larger[place(larger, print)] = print;
    this.#slots = larger;
  }
}

/** Never 0: that is an empty slot. */
const fingerprint = (text: string): bigint => hash('sha256', text, 'buffer').readBigUInt64LE(0) || 1n;

/** Where a fingerprint is, or belongs. */
function place(slots: BigUint64Array, print: bigint): number {
  const mask = slots.length - 1;
  for (let at = Number(print & BigInt(mask)); ; at = (at + 1) & mask) {
    if (slots[at] === print || slots[at] === 0n) return at;
  }
}
