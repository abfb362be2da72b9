type Sample = { readonly at: number; readonly documents: number; readonly chunks: number };

const WINDOW = 60_000;
const GAP = 1000;

export type Expectation = {
  readonly percent: number;
  readonly chunksPerMinute: number;
  /** Milliseconds until the end, where it can be told. */
  readonly left?: number;
};

/** How fast it goes, by what was done in the last minute. Times in milliseconds, monotonic. */
export class Pace {
  readonly #samples: Sample[] = [];

  note(sample: Sample): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && sample.at - last.at < GAP) return;
    this.#samples.push(sample);
    while ((this.#samples[1]?.at ?? Number.POSITIVE_INFINITY) <= sample.at - WINDOW) this.#samples.shift();
  }

  tell({ at, documents, chunks }: Sample, total: number | undefined): Expectation {
    const [first] = this.#samples;
    const elapsed = first === undefined ? 0 : at - first.at;
    const perMinute = (count: number): number => (elapsed <= 0 ? 0 : (Math.max(0, count) * 60_000) / elapsed);
    const chunksPerMinute = Math.round(perMinute(chunks - (first?.chunks ?? 0)));
    if (total === undefined) return { percent: 0, chunksPerMinute };
    const percent = total === 0 ? 100 : Math.min(100, Math.floor((documents * 100) / total));
    const pace = perMinute(documents - (first?.documents ?? 0));
    if (pace <= 0 || documents >= total) return { percent, chunksPerMinute };
    return { percent, chunksPerMinute, left: Math.round(((total - documents) * 60_000) / pace) };
  }
}
