import { firstWindow, grown, halved, type Window } from './aimd.ts';

/** `overloaded`: the endpoint is asked too much. `neutral`: the outcome says nothing about that. */
export type LoadSign = 'ok' | 'overloaded' | 'neutral';

export type Place = { readonly leave: (sign: LoadSign) => void };

/** Lets requests through as the window allows, in the order in which they came. */
export class Gate {
  readonly #max: number;
  #window: Window = firstWindow;
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    this.#max = max;
  }

  get window(): number {
    return Math.floor(this.#window.size);
  }

  /** Rejects with the signal's reason when it aborts first. */
  enter(signal?: AbortSignal): Promise<Place> {
    signal?.throwIfAborted();
    if (this.#inside < this.window && this.#waiting.size === 0) return Promise.resolve(this.#place());
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve(this.#place());
      };
      const leave = (): void => {
        this.#waiting.delete(enter);
        reject(signal?.reason);
      };
      this.#waiting.add(enter);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }

  #place(): Place {
    this.#inside += 1;
    const { epoch } = this.#window;
    let held = true;
    return {
      leave: (sign) => {
        if (!held) return;
        held = false;
        this.#inside -= 1;
        if (sign === 'ok') this.#window = grown(this.#window, this.#max);
        if (sign === 'overloaded') this.#window = halved(this.#window, epoch);
        this.#admit();
      },
    };
  }

  #admit(): void {
    for (const enter of this.#waiting) {
      if (this.#inside >= this.window) return;
      this.#waiting.delete(enter);
      enter();
    }
  }
}
