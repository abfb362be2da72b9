import type { ClusterOperation } from '../../api/index.ts';
import { type Blocker, blockers, type Gate, type Situation } from '../predicates.ts';
import type { Topology } from '../topology.ts';
import type { ClaimFacts, World } from '../world.ts';

/** A shard's way from one peer to another; the source's replica stays where `keepSource`. */
export type ShardTransfer = {
  readonly collection: string;
  readonly shard: number;
  readonly from: number;
  readonly to: number;
  readonly keepSource: boolean;
};

/** What is done next. All but `startTransfers` destroy something and are done one at a time. */
export type Step =
  | { readonly kind: 'startTransfers'; readonly transfers: readonly ShardTransfer[] }
  | { readonly kind: 'dropReplica'; readonly collection: string; readonly shard: number; readonly peer: number }
  | { readonly kind: 'removePeer'; readonly peer: number; readonly name: string }
  | { readonly kind: 'deletePod'; readonly name: string; readonly uid: string }
  | { readonly kind: 'lowerReplicas'; readonly to: number }
  | { readonly kind: 'deleteClaims'; readonly claims: readonly Pick<ClaimFacts, 'name' | 'uid'>[] }
  | { readonly kind: 'deleteStatefulSet' }
  | { readonly kind: 'removeFinalizer' };

export const isDestructive = (step: Step): boolean => step.kind !== 'startTransfers';

export type Operation = {
  readonly name: ClusterOperation['name'];
  readonly step: string;
  readonly target?: string;
  readonly blockedBy: readonly Blocker[];
};

/** What one topic wants. */
export type Proposal = {
  readonly operation: Operation;
  readonly step?: Step;
  /** Pod that is to leave the client Service, because it will be stopped. */
  readonly withdraw?: string;
  /** Nothing else is begun while this goes on. */
  readonly exclusive: boolean;
};

/** One subject of the decision; undefined = nothing to say, go on. */
export type Topic = (world: World, topology: Topology) => Proposal | undefined;

type Wanted = Omit<Operation, 'blockedBy'> & { readonly step: string; readonly does: Step; readonly withdraw?: string };

/** Proposes `does` where no predicate of the gate refuses, else says which do. */
export function gated(gate: Gate, situation: Situation, wanted: Wanted): Proposal {
  const { does, withdraw, ...operation } = wanted;
  const blockedBy = blockers(gate, situation);
  return {
    operation: { ...operation, blockedBy },
    ...(blockedBy.length === 0 ? { step: does } : {}),
    ...(withdraw === undefined ? {} : { withdraw }),
    exclusive: blockedBy.every(({ passing }) => passing),
  };
}
