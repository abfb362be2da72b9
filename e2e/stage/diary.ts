/** One line of what happened. */
export type Entry = {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: 'step' | 'fault' | 'state' | 'event' | 'container' | 'log' | 'failure';
  readonly text: string;
};

/** What was done and seen in one scenario, in the order in which it was written down. */
export class Diary {
  readonly #entries: Entry[] = [];

  note(kind: Entry['kind'], text: string, at = Date.now()): void {
    this.#entries.push({ at, kind, text });
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }
}
