import type { Attempt } from './attempt.ts';
import type { PeerTransport } from './peer-transport.ts';
import type { Timeouts } from './types.ts';

/** What a call is, for its timeout. */
export type CallKind = 'health' | 'read' | 'consensus' | 'bulk' | 'snapshot' | 'stream';

/**
 * Whether a call may be sent again when it is not known to have failed.
 * `read` and `idempotent`: yes, to any peer. `once`: only when it surely never arrived; an operation that
 * Qdrant's consensus answered with "timed out" still commits later, so its error is `ambiguous` instead.
 */
export type Safety = 'read' | 'idempotent' | 'once';

/** One operation, described so that the executor can time, trace, repeat and count it. */
export type Call<T> = {
  /** A label of metrics and traces: from a fixed set, never a collection's name. */
  readonly operation: string;
  readonly kind: CallKind;
  readonly safety: Safety;
  /** The answer is about the peer that gives it, so another peer can't give it instead. */
  readonly onePeer?: boolean;
  readonly attempt: (peer: PeerTransport, attempt: Attempt) => Promise<T>;
};

/** Milliseconds for a call; of silence for a `stream`. */
export function timeoutOf(kind: CallKind, timeouts: Timeouts): number {
  switch (kind) {
    case 'snapshot':
      return timeouts.snapshotTotal;
    case 'stream':
      return timeouts.streamSilence;
    case 'health':
    case 'read':
    case 'consensus':
    case 'bulk':
      return timeouts[kind];
  }
}

const SECOND = 1000;
export const DEFAULT_TIMEOUTS: Timeouts = {
  connect: 2 * SECOND,
  health: 2 * SECOND,
  read: 10 * SECOND,
  consensus: 30 * SECOND,
  bulk: 60 * SECOND,
  streamSilence: 60 * SECOND,
  snapshotTotal: 6 * 3600 * SECOND,
};
