/** What goes wrong with an answer. Those about vectors answer 200, as a broken model does. */
export type Fault =
  | { readonly kind: 'wrongDimension' }
  /** `at`: index of the text whose vector it is; default: the first. */
  | { readonly kind: 'nan'; readonly at?: number }
  | { readonly kind: 'zero'; readonly at?: number }
  | { readonly kind: 'constant' }
  | { readonly kind: 'unnormalised' }
  /** Vectors for half of the texts. */
  | { readonly kind: 'half' }
  /** The connection ends in the middle of the answer. */
  | { readonly kind: 'cut' }
  /** Nothing is answered; the connection stays. */
  | { readonly kind: 'hang' }
  | { readonly kind: 'notJson' }
  /** `echo`: the body repeats what was sent, and the key. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly retryAfter?: string;
      readonly body?: string;
      readonly echo?: boolean;
    };

type Planned = { readonly fault: Fault; times: number; readonly when: (texts: readonly string[]) => boolean };

/** Faults that wait for a request that they are meant for, in the order in which they were planned. */
export class FaultPlan {
  #planned: Planned[] = [];

  /** @param when which requests; default: every one that embeds */
  add(fault: Fault, { times = 1, when = () => true }: Partial<Omit<Planned, 'fault'>> = {}): void {
    this.#planned.push({ fault, times, when });
  }

  clear(): void {
    this.#planned = [];
  }

  take(texts: readonly string[]): Fault | undefined {
    const planned = this.#planned.find(({ when }) => when(texts));
    if (planned === undefined) return undefined;
    planned.times -= 1;
    if (planned.times <= 0) this.#planned = this.#planned.filter((other) => other !== planned);
    return planned.fault;
  }
}

/** The vectors as the fault leaves them. */
export function spoiled(vectors: readonly number[][], fault: Fault | undefined): number[][] {
  switch (fault?.kind) {
    case 'wrongDimension':
      return vectors.map((vector) => vector.slice(1));
    case 'nan':
      return vectors.map((vector, index) => (index === (fault.at ?? 0) ? [Number.NaN, ...vector.slice(1)] : vector));
    case 'zero':
      return vectors.map((vector, index) => (index === (fault.at ?? 0) ? vector.map(() => 0) : vector));
    case 'constant':
      return vectors.map(() => [...(vectors[0] ?? [])]);
    case 'unnormalised':
      return vectors.map((vector) => vector.map((value) => value * 3));
    case 'half':
      return vectors.slice(0, Math.floor(vectors.length / 2));
    case 'cut':
    case 'hang':
    case 'notJson':
    case 'status':
    case undefined:
      return [...vectors];
  }
}
