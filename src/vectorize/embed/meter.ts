/** What a run may cost. Money is in the currency of the price. */
export type Budget = {
  readonly maxTokens?: number;
  readonly maxCost?: number;
};

export type MeterOptions = {
  readonly budget?: Budget;
  /** Price of a million tokens. */
  readonly pricePerMillionTokens?: number;
};

export type Usage = {
  /** Tokens that were paid for: as the endpoint counts where it tells, else estimated; also of answers that got lost. */
  readonly tokens: number;
  /** Of them, those that no endpoint confirmed. */
  readonly estimatedTokens: number;
  readonly cost: number;
  /** Requests that were sent. */
  readonly calls: number;
  /** Of them, repeats. */
  readonly retries: number;
  /** Texts that the endpoint made a vector of. */
  readonly embedded: number;
  /** Texts whose vector was known: from the cache, or from an equal text of the run. */
  readonly hits: number;
  /** Tokens (estimated) of those. */
  readonly savedTokens: number;
  /** Texts that got no vector for a reason of their own. */
  readonly refused: number;
};

/** Tokens set aside for one request, until it is known what became of it. */
export type Reservation = {
  /** `told`: what the endpoint says it counted; undefined when it doesn't say. */
  readonly spent: (told: number | undefined) => void;
  /** The endpoint refused: nothing was embedded. */
  readonly free: () => void;
};

/** Counts what embedding costs, and lets nothing through that would go over the budget. */
export class Meter {
  readonly #budget: Budget;
  readonly #price: number;
  #usage: Omit<Usage, 'cost'> = {
    tokens: 0,
    estimatedTokens: 0,
    calls: 0,
    retries: 0,
    embedded: 0,
    hits: 0,
    savedTokens: 0,
    refused: 0,
  };
  #reserved = 0;
  /** Most tokens that the endpoint counted for one estimated; keeps a low estimate from breaking the budget. */
  #ratio = 1;

  constructor({ budget = {}, pricePerMillionTokens = 0 }: MeterOptions = {}) {
    this.#budget = budget;
    this.#price = pricePerMillionTokens / 1_000_000;
  }

  get usage(): Usage {
    return { ...this.#usage, cost: this.#usage.tokens * this.#price };
  }

  /** Why a request of so many tokens may not be sent; undefined = it may. */
  refusal(estimated: number): string | undefined {
    const { maxTokens, maxCost } = this.#budget;
    const tokens = this.#usage.tokens + this.#reserved + this.#scaled(estimated);
    if (maxTokens !== undefined && tokens > maxTokens) {
      return `${this.#usage.tokens} of ${maxTokens} tokens are used, and the next request would go over`;
    }
    if (maxCost !== undefined && tokens * this.#price > maxCost) {
      return `${this.usage.cost.toFixed(4)} of ${maxCost} is spent, and the next request would go over`;
    }
    return undefined;
  }

  /** Call `refusal` first, without waiting in between. */
  reserve(estimated: number, repeat: boolean): Reservation {
    const held = this.#scaled(estimated);
    this.#reserved += held;
    this.#add({ calls: 1, retries: repeat ? 1 : 0 });
    let open = true;
    const close = (): boolean => {
      if (!open) return false;
      open = false;
      this.#reserved -= held;
      return true;
    };
    return {
      spent: (told) => {
        if (!close()) return;
        if (told === undefined) return this.#add({ tokens: estimated, estimatedTokens: estimated });
        if (estimated > 0) this.#ratio = Math.max(this.#ratio, told / estimated);
        this.#add({ tokens: told });
      },
      free: () => void close(),
    };
  }

  /** Counts texts, or tokens that were saved. */
  count(more: Partial<Pick<Usage, 'embedded' | 'hits' | 'savedTokens' | 'refused'>>): void {
    this.#add(more);
  }

  #scaled(estimated: number): number {
    return Math.ceil(estimated * this.#ratio);
  }

  #add(more: Partial<Omit<Usage, 'cost'>>): void {
    const sum = { ...this.#usage };
    for (const name of Object.keys(more) as (keyof typeof more)[]) sum[name] += more[name] ?? 0;
    this.#usage = sum;
  }
}
