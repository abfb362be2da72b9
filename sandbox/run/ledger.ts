/** What was checked at the end of a load, or of the whole. */
export type Entry = {
  /** Points that must be there. */
  readonly acknowledged: number;
  readonly lost: number;
  /** There, and deleted, or never written. */
  readonly phantoms: number;
};

/** Points of all loads together. */
export class Ledger {
  #total: Entry = { acknowledged: 0, lost: 0, phantoms: 0 };

  add({ acknowledged, lost, phantoms }: Entry): void {
    this.#total = {
      acknowledged: this.#total.acknowledged + acknowledged,
      lost: this.#total.lost + lost,
      phantoms: this.#total.phantoms + phantoms,
    };
  }

  get total(): Entry {
    return this.#total;
  }
}

/** What is missing of what must be there, and what is there besides. */
export function compared<T>(expected: ReadonlySet<T>, found: ReadonlySet<T>): Entry {
  return {
    acknowledged: expected.size,
    lost: expected.difference(found).size,
    phantoms: found.difference(expected).size,
  };
}
