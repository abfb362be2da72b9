/** What one reconcile pass came to. A thrown error is a transient failure: the pass runs again with growing delay. */
export type Outcome =
  | { readonly kind: 'done' }
  /** Nothing is wrong; look again after `seconds`, because of `reason` (CamelCase). */
  | { readonly kind: 'wait'; readonly seconds: number; readonly reason: string; readonly message: string }
  /** Trying again can't help until the object changes. */
  | { readonly kind: 'stalled'; readonly reason: string; readonly message: string };

export const DONE: Outcome = { kind: 'done' };

/** An error that trying again can't help: the pass runs again when the object changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
  /** CamelCase, for a condition. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
