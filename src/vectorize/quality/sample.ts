/** So many of a stream, each with the same chance. Source: Vitter, "Random sampling with a reservoir", algorithm R. */
export class Sample<T> {
  readonly #size: number;
  readonly #random: () => number;
  readonly #kept: T[] = [];
  #seen = 0;

  /** @param random in [0, 1) */
  constructor(size: number, random: () => number) {
    this.#size = size;
    this.#random = random;
  }

  add(item: T): void {
    this.#seen += 1;
    if (this.#kept.length < this.#size) {
      this.#kept.push(item);
      return;
    }
    const at = Math.floor(this.#random() * this.#seen);
    if (at < this.#size) this.#kept[at] = item;
  }

  get items(): readonly T[] {
    return this.#kept;
  }
}
