import { asEngineError } from '../base/errors.ts';
import { callPeer } from '../collection/replicas.ts';
import type { Engine } from '../engine.ts';
import type { Operation } from '../state/operations.ts';
import type { CollectionState, ShardState, Transfer } from '../state/types.ts';

const PERIOD_MILLISECONDS = 500;

/**
 * What each peer does about its own replicas: reports new ones Active, and has Dead ones filled again from an Active
 * one, one at a time for each collection.
 */
export class Recovery {
  readonly #engine: Engine;
  readonly #proposing = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  start(): void {
    this.#timer = setInterval(() => this.sync(), PERIOD_MILLISECONDS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  sync(): void {
    this.activate();
    for (const collection of Object.values(this.#engine.consensus.state.collections)) this.#recoverOne(collection);
  }

  /** Reports replicas that were just created as Active. */
  activate(): void {
    const { peerId, consensus } = this.#engine;
    for (const { name, uuid, shards } of Object.values(consensus.state.collections)) {
      for (const { id, replicas } of shards) {
        if (replicas[peerId] !== 'Initializing' || !this.#engine.shards.get(uuid, id)) continue;
        this.#propose(`${uuid}/${id}`, {
          op: 'setReplica',
          name,
          shardId: id,
          peerId,
          state: 'Active',
          from: 'Initializing',
        });
      }
    }
  }

  #recoverOne(collection: CollectionState): void {
    const { peerId } = this.#engine;
    if (collection.transfers.some(({ to }) => to === peerId)) return;
    const dead = collection.shards.find(({ replicas }) => replicas[peerId] === 'Dead');
    if (!dead) return;
    const key = `${collection.uuid}/recover`;
    if (this.#proposing.has(key)) return;
    this.#proposing.add(key);
    void this.#recover(collection, dead).finally(() => this.#proposing.delete(key));
  }

  async #recover(collection: CollectionState, shard: ShardState): Promise<void> {
    for (const [peer, state] of Object.entries(shard.replicas)) {
      const from = Number(peer);
      const busy = collection.transfers.some((transfer) => transfer.from === from);
      if (state !== 'Active' || busy || !(await this.#answers(from))) continue;
      const transfer: Transfer = { shardId: shard.id, from, to: this.#engine.peerId, sync: true, method: 'wal_delta' };
      await this.#engine.consensus
        .propose({ op: 'startTransfer', name: collection.name, transfer })
        .catch(() => undefined);
      return;
    }
  }

  async #answers(peer: number): Promise<boolean> {
    try {
      await callPeer(this.#engine, peer, { method: 'applied', body: {}, timeoutMs: 1000 });
      return true;
    } catch {
      return false;
    }
  }

  #propose(key: string, operation: Operation): void {
    if (this.#proposing.has(key)) return;
    this.#proposing.add(key);
    void this.#engine.consensus
      .propose(operation)
      .catch(() => undefined)
      .finally(() => this.#proposing.delete(key));
  }

  /** A restart ends all transfers from and to this peer. */
  async abortInterrupted(interrupted: readonly { name: string; transfer: Transfer }[]): Promise<void> {
    for (const { name, transfer } of interrupted) {
      for (;;) {
        try {
          await this.#engine.consensus.propose({
            op: 'abortTransfer',
            name,
            transfer,
            reason: 'Source or target peer restarted',
          });
          break;
        } catch (error) {
          // Somebody else ended it already.
          if (asEngineError(error).kind !== 'Service') break;
        }
      }
    }
  }
}

/** The transfers of this peer that its last run left behind. */
export function interruptedTransfers(engine: Engine): { name: string; transfer: Transfer }[] {
  return Object.values(engine.consensus.state.collections).flatMap(({ name, transfers }) =>
    transfers
      .filter(({ from, to }) => from === engine.peerId || to === engine.peerId)
      .map((transfer) => ({ name, transfer })),
  );
}
