import { EngineError } from '../base/errors.ts';
import type { Engine } from '../engine.ts';
import type { CollectionState, PeerId, ReplicaState, ShardState } from '../state/types.ts';

export const replicaKey = (collection: CollectionState, shard: ShardState, peer: PeerId): string =>
  `${collection.uuid}/${shard.id}/${peer}`;

/** Whether this peer gave up on a replica in its present state. */
export function isDisabled(engine: Engine, key: string, state: string | undefined): boolean {
  const disabledIn = engine.disabled.get(key);
  if (disabledIn === undefined) return false;
  if (disabledIn === state) return true;
  engine.disabled.delete(key);
  return false;
}

/** Peers whose replicas are in such a state, without those that this peer gave up on, although not all know it yet. */
export const peersWith = (
  engine: Engine,
  collection: CollectionState,
  { shard, holds }: { readonly shard: ShardState; readonly holds: (state: ReplicaState) => boolean },
): PeerId[] =>
  Object.entries(shard.replicas).flatMap(([peer, state]) =>
    holds(state) && !isDisabled(engine, replicaKey(collection, shard, Number(peer)), state) ? [Number(peer)] : [],
  );

const CALL_MILLISECONDS = 9000;

/** Calls another peer about a shard; 500 in the server's words when it is no member. */
export async function callPeer(
  engine: Engine,
  peer: PeerId,
  call: { method: string; body: unknown; timeoutMs?: number },
): Promise<unknown> {
  const uri = engine.uriOf(peer);
  if (uri === undefined) throw new EngineError('Service', `no address found for peer ${peer}`);
  return await engine.client.call(uri, call.method, {
    body: call.body,
    timeoutMs: call.timeoutMs ?? CALL_MILLISECONDS,
  });
}
