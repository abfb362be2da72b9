import { EngineError } from './base/errors.ts';
import { type ReadRequest, readLocal } from './collection/reads.ts';
import { updateLocal } from './collection/writes.ts';
import { type Joining, letIn } from './consensus/bootstrap.ts';
import type { Handlers } from './consensus/transport.ts';
import type { Engine } from './engine.ts';
import type { VersionedOperation } from './shard/operations.ts';

type ShardCall = { readonly collection: string; readonly shardId: number };
type Update = ShardCall & { readonly change: VersionedOperation };
type TransferStep = Update & { readonly uuid: string; readonly from: number };

/** What other peers may ask of this one. */
export function peerHandlers(engine: Engine): Handlers {
  return {
    ...engine.consensus.handlers(),
    join: (body) => letIn(engine.consensus, body as Joining),
    update: (body) => {
      const { collection, shardId, change } = body as Update;
      updateLocal(engine, engine.collection(collection), { shardId, change });
    },
    read: (body) => {
      const { collection, shardId, request } = body as ShardCall & { request: ReadRequest };
      return readLocal(engine, engine.collection(collection), shardId, request);
    },
    transfer: (body) => receive(engine, body as TransferStep),
    telemetry: (body) => engine.reports?.(body) ?? {},
  };
}

function receive(engine: Engine, step: TransferStep): void {
  const { collection: name, shardId, change, from, uuid } = step;
  const collection = engine.collection(name);
  const running = collection.transfers.find(
    (other) => other.shardId === shardId && other.from === from && other.to === engine.peerId,
  );
  if (running === undefined || collection.uuid !== uuid)
    throw new EngineError('Precondition', `no transfer of shard ${shardId} from ${from}`);
  const comment = `${uuid}/${shardId}/${from}/${engine.peerId}`;
  engine.transferComments.set(comment, change.operation.kind === 'clear' ? 'downloading' : 'restoring');
  const shard = engine.shards.get(uuid, shardId);
  // The server puts a new shard in the old one's place; a difference goes into the one that is there.
  if (shard !== undefined && change.operation.kind === 'clear' && running.method !== 'wal_delta')
    engine.limiters.delete(shard);
  updateLocal(engine, collection, { shardId, change, force: true });
}
