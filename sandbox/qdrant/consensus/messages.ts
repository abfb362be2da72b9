import type { PeerId } from '../state/types.ts';
import type { Entry, Snapshot } from './storage.ts';

export type AppendRequest = {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly term: number;
  readonly previousIndex: number;
  readonly previousTerm: number;
  readonly entries: readonly Entry[];
  readonly commit: number;
  readonly snapshot?: Snapshot;
};
/** `hint`: the highest index that may match, when the previous entry didn't. `ignored`: not meant for this peer. */
export type AppendAnswer =
  | { readonly kind: 'ok'; readonly term: number; readonly match: number }
  | { readonly kind: 'refused'; readonly term: number; readonly hint: number }
  | { readonly kind: 'ignored' };

export type VoteRequest = {
  readonly from: PeerId;
  readonly to: PeerId;
  readonly term: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** A question before the election proper, so that a cut-off peer doesn't drive the term up. */
  readonly pre: boolean;
};
export type VoteAnswer = { readonly term: number; readonly granted: boolean };
