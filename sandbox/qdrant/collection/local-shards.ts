import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Shard } from '../shard/shard.ts';
import type { ClusterState, PeerId } from '../state/types.ts';

/** The shards whose replicas lie on this peer, kept in step with the replicated state. */
export class LocalShards {
  readonly #directory: string;
  readonly #peer: PeerId;
  readonly #shards = new Map<string, Map<number, Shard>>();

  constructor(storagePath: string, peer: PeerId) {
    this.#directory = join(storagePath, 'collections');
    this.#peer = peer;
  }

  get(uuid: string, shardId: number): Shard | undefined {
    return this.#shards.get(uuid)?.get(shardId);
  }

  /** Opens what the state places here and removes what it doesn't. */
  sync(state: ClusterState): void {
    const wanted = new Map<string, Set<number>>();
    for (const { uuid, shards } of Object.values(state.collections)) {
      wanted.set(
        uuid,
        new Set(shards.filter(({ replicas }) => replicas[this.#peer] !== undefined).map(({ id }) => id)),
      );
    }
    for (const [uuid, shards] of this.#shards) {
      for (const id of shards.keys()) if (!wanted.get(uuid)?.has(id)) this.#remove(uuid, id);
      if (!wanted.has(uuid)) this.#removeCollection(uuid);
    }
    for (const [uuid, ids] of wanted) for (const id of ids) this.#open(uuid, id);
  }

  /** Removes directories that an earlier run left and no collection owns. */
  sweep(state: ClusterState): void {
    if (!existsSync(this.#directory)) return;
    const known = new Set(Object.values(state.collections).map(({ uuid }) => uuid));
    for (const name of readdirSync(this.#directory)) {
      if (!known.has(name)) rmSync(join(this.#directory, name), { recursive: true, force: true });
    }
  }

  #open(uuid: string, id: number): void {
    const present = this.#shards.get(uuid) ?? new Map<number, Shard>();
    if (present.has(id)) return;
    const directory = join(this.#directory, uuid, String(id));
    mkdirSync(directory, { recursive: true });
    present.set(id, new Shard(directory));
    this.#shards.set(uuid, present);
  }

  #remove(uuid: string, id: number): void {
    this.#shards.get(uuid)?.get(id)?.close();
    this.#shards.get(uuid)?.delete(id);
    rmSync(join(this.#directory, uuid, String(id)), { recursive: true, force: true });
  }

  #removeCollection(uuid: string): void {
    this.#shards.delete(uuid);
    rmSync(join(this.#directory, uuid), { recursive: true, force: true });
  }

  close(): void {
    for (const shards of this.#shards.values()) for (const shard of shards.values()) shard.close();
  }
}
