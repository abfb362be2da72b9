import type { Violation } from '../api/index.ts';
import type { Connection } from '../qdrant/index.ts';
import { Drift } from './drift.ts';
import type { Settling } from './settled.ts';

/**
 * What is remembered of one cluster between passes. Nothing of it is needed for correctness: after a restart of the
 * operator waiting begins anew, and what was proved before is proved again.
 */
export class Memory {
  readonly drift = new Drift();
  settling: Settling | undefined;
  transfersSince: ReadonlyMap<string, number> = new Map();
  /** The last connection that a peer accepted; holds a key, so it's never shown. */
  accepted: Connection | undefined;
  readonly factors = new Map<string, { readonly factor: number; readonly readAt: number }>();
  statusWrittenAt = 0;
  violations: { readonly generation: number | undefined; readonly found: readonly Violation[] } | undefined;
}
