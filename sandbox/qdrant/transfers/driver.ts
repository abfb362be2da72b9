import { asEngineError } from '../base/errors.ts';
import { callPeer } from '../collection/replicas.ts';
import type { Engine } from '../engine.ts';
import type { VersionedOperation } from '../shard/operations.ts';
import type { Shard } from '../shard/shard.ts';
import { findTransfer } from '../state/replicas.ts';
import type { CollectionState, Transfer } from '../state/types.ts';
import { transferName } from './view.ts';

/** Source: Qdrant's transfer driver. */
const ATTEMPTS = 3;
const RETRY_MILLISECONDS = 300;
const SYNC_MILLISECONDS = 10_000;
const CALL_MILLISECONDS = 20_000;

class Abandoned extends Error {}

/** Runs the transfers whose source is this peer. */
export class TransferDriver {
  readonly #engine: Engine;
  readonly #running = new Set<string>();
  #stopped = false;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Starts what the state asks for and doesn't run yet. */
  sync(): void {
    const { state } = this.#engine.consensus;
    for (const collection of Object.values(state.collections)) {
      for (const transfer of collection.transfers) {
        const name = `${transferName(collection, transfer)}/${transfer.method}`;
        if (transfer.from !== this.#engine.peerId || this.#running.has(name) || this.#stopped) continue;
        this.#running.add(name);
        void this.#run(collection, transfer).finally(() => this.#running.delete(name));
      }
    }
  }

  async #run(collection: CollectionState, transfer: Transfer): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const outcome = await this.#attempt(collection, transfer);
      if (outcome === undefined || this.#current(collection, transfer) === undefined) return;
      if (attempt < ATTEMPTS) await sleep(RETRY_MILLISECONDS);
      else await this.#abort(collection, transfer, outcome);
    }
  }

  async #abort(collection: CollectionState, transfer: Transfer, reason: string): Promise<void> {
    while (!this.#stopped && this.#current(collection, transfer)) {
      try {
        await this.#engine.consensus.propose({ op: 'abortTransfer', name: collection.name, transfer, reason });
      } catch (error) {
        if (asEngineError(error).kind !== 'Service') return;
      }
    }
  }

  /** The transfer as consensus has it now; undefined once it was aborted, restarted otherwise or finished. */
  #current(collection: CollectionState, transfer: Transfer): Transfer | undefined {
    const present = this.#engine.consensus.state.collections[collection.name];
    if (present?.uuid !== collection.uuid) return undefined;
    const found = findTransfer(present, transfer);
    return found?.method === transfer.method ? found : undefined;
  }

  /** Undefined when it finished or was abandoned; otherwise why it failed. */
  async #attempt(collection: CollectionState, transfer: Transfer): Promise<string | undefined> {
    const shard = this.#engine.shards.get(collection.uuid, transfer.shardId);
    if (!shard) return 'the source has no such shard';
    const key = `${collection.uuid}/${transfer.shardId}`;
    const queue: VersionedOperation[] = [];
    const push = (change: VersionedOperation): void => void queue.push(change);
    const listeners = this.#engine.forwards.get(key) ?? new Set();
    this.#engine.forwards.set(key, listeners.add(push));
    const comment = transferName(collection, transfer);
    try {
      await this.#copy({ collection, transfer, shard, queue });
      return undefined;
    } catch (error) {
      if (error instanceof Abandoned) return undefined;
      return error instanceof Error ? error.message : String(error);
    } finally {
      listeners.delete(push);
      this.#engine.transferComments.delete(comment);
    }
  }

  async #copy(job: {
    collection: CollectionState;
    transfer: Transfer;
    shard: Shard;
    queue: VersionedOperation[];
  }): Promise<void> {
    const { collection, transfer, shard, queue } = job;
    const { consensus, settings } = this.#engine;
    const startedAt = Date.now();
    const total = shard.points.size;
    const send = (change: VersionedOperation): Promise<unknown> => this.#send(job, change);
    const comment = (text: string): void => {
      const seconds = ((Date.now() - startedAt) / 1000).toFixed(2);
      this.#engine.transferComments.set(
        transferName(collection, transfer),
        `${transfer.method} (${seconds}s) | ${text}`,
      );
    };
    comment('starting');
    // The target must know of the transfer before it takes anything.
    await this.#waitForPeer(transfer.to, consensus.applied);
    await send({ operation: { kind: 'clear' }, version: 0 });
    let sent = 0;
    for (const points of shard.batches()) {
      await send({ operation: { kind: 'load', points }, version: 0 });
      sent += points.length;
      comment(`Transferring records (${sent}/${total})`);
    }
    while (Date.now() - startedAt < settings.pace.transfer) {
      await this.#drain(job, queue);
      comment(`Transferring records (${sent}/${total})`);
      await sleep(20);
    }
    await this.#drain(job, queue);
    if (transfer.method !== 'stream_records') {
      await consensus.propose({ op: 'recoveredToPartial', name: collection.name, transfer });
    }
    // From Partial on writers send to the target themselves; until all know it, changes still go through here.
    const until = Date.now() + SYNC_MILLISECONDS;
    const synced = this.#waitForAll(consensus.applied, until);
    let waiting = true;
    void synced.finally(() => {
      waiting = false;
    });
    while (waiting) {
      await this.#drain(job, queue);
      await sleep(5);
    }
    await synced;
    await this.#drain(job, queue);
    await consensus.propose({ op: 'finishTransfer', name: collection.name, transfer });
  }

  async #drain(job: { collection: CollectionState; transfer: Transfer }, queue: VersionedOperation[]): Promise<void> {
    for (let change = queue.shift(); change; change = queue.shift()) await this.#send(job, change);
    if (this.#stopped || !this.#current(job.collection, job.transfer)) throw new Abandoned('transfer is gone');
  }

  async #send(job: { collection: CollectionState; transfer: Transfer }, change: VersionedOperation): Promise<unknown> {
    const { collection, transfer } = job;
    if (this.#stopped || !this.#current(collection, transfer)) throw new Abandoned('transfer is gone');
    const body = {
      collection: collection.name,
      uuid: collection.uuid,
      shardId: transfer.shardId,
      change,
      from: transfer.from,
    };
    return await callPeer(this.#engine, transfer.to, { method: 'transfer', body, timeoutMs: CALL_MILLISECONDS });
  }

  async #waitForPeer(peer: number, applied: number): Promise<void> {
    const until = Date.now() + SYNC_MILLISECONDS;
    for (;;) {
      const answer = await callPeer(this.#engine, peer, { method: 'applied', body: {}, timeoutMs: 2000 });
      if ((answer as { applied: number }).applied >= applied) return;
      if (Date.now() > until) throw new Error(`peer ${peer} does not reach commit ${applied}`);
      await sleep(10);
    }
  }

  /** Waits until every peer has applied what this one has; where one can't be asked, for as long as it might take. */
  async #waitForAll(applied: number, until: number): Promise<void> {
    const others = Object.keys(this.#engine.consensus.state.peers)
      .map(Number)
      .filter((peer) => peer !== this.#engine.peerId);
    const patience = sleep(Math.max(0, until - Date.now()));
    const all = Promise.all(others.map((peer) => this.#waitForPeer(peer, applied))).catch(() => patience);
    await Promise.race([patience, all]);
  }
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
