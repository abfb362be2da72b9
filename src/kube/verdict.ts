import { KubeError } from './errors.ts';
import { type Outcome, TerminalError } from './outcome.ts';

/** How a reconcile pass ended, for the queue and the metrics. */
export type Verdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'requeueAfter'; readonly seconds: number }
  /** Somebody else wrote in between: again, with a delay, but nothing is wrong. */
  | { readonly kind: 'conflict' }
  /** The namespace is on its way out: the object follows by itself. */
  | { readonly kind: 'leaving' }
  | { readonly kind: 'terminal' }
  | { readonly kind: 'error'; readonly floorSeconds: number; readonly panic: boolean };

export function verdictOfOutcome(outcome: Outcome): Verdict {
  switch (outcome.kind) {
    case 'done':
      return { kind: 'success' };
    case 'wait':
      return { kind: 'requeueAfter', seconds: outcome.seconds };
    case 'stalled':
      return { kind: 'terminal' };
  }
}

export function verdictOfError(error: unknown): Verdict {
  if (error instanceof TerminalError) return { kind: 'terminal' };
  if (error instanceof KubeError && error.isConflict) return { kind: 'conflict' };
  if (error instanceof KubeError && error.isNamespaceTerminating) return { kind: 'leaving' };
  return { kind: 'error', floorSeconds: retryAfterOf(error), panic: isPanic(error) };
}

/** Errors that the language throws mean a mistake in the code, as a panic does in Go. */
const isPanic = (error: unknown): boolean =>
  !(error instanceof Error) ||
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof ReferenceError;

/** Any error class may say how long a server wants to be left alone. */
const retryAfterOf = (error: unknown): number =>
  error instanceof Error && 'retryAfterSeconds' in error && typeof error.retryAfterSeconds === 'number'
    ? error.retryAfterSeconds
    : 0;
