import type { Limiters } from './collection/limits.ts';
import { LocalShards } from './collection/local-shards.ts';
import type { Consensus } from './consensus/consensus.ts';
import type { PeerClient } from './consensus/transport.ts';
import type { Settings } from './settings.ts';
import type { VersionedOperation } from './shard/operations.ts';
import type { Shard } from './shard/shard.ts';
import { collectionOf } from './state/apply.ts';
import type { CollectionState, PeerId } from './state/types.ts';

/** Everything one peer consists of; its parts are functions over it. */
export class Engine {
  readonly settings: Settings;
  readonly consensus: Consensus;
  readonly client: PeerClient;
  readonly shards: LocalShards;
  readonly startedAt = new Date();
  /** Replicas that failed a write and are skipped until consensus has changed their state: `<uuid>/<shard>/<peer>`. */
  readonly disabled = new Map<string, string>();
  /** By local shard: one that is opened anew has new limiters. */
  readonly limiters = new WeakMap<Shard, Limiters>();
  /** When a collection was last changed in a way that is optimised, by uuid (milliseconds). */
  readonly optimizingSince = new Map<string, number>();
  /** What transfers from or to this peer report, by `<uuid>/<shard>/<from>/<to>`. */
  readonly transferComments = new Map<string, string>();
  /** Receivers of every change of a local shard while transfers run from it: by `<uuid>/<shard>`. */
  readonly forwards = new Map<string, Set<(change: VersionedOperation) => void>>();
  /** Answers another peer's question for telemetry. */
  reports: ((body: unknown) => unknown) | undefined;
  readonly snapshotCounters = new Map<string, { creating: number; recovering: number; created: number }>();
  #lastVersion = 0;

  constructor(settings: Settings, consensus: Consensus) {
    this.settings = settings;
    this.consensus = consensus;
    this.client = consensus.client;
    this.shards = new LocalShards(settings.storagePath, consensus.peerId);
  }

  get peerId(): PeerId {
    return this.consensus.peerId;
  }

  /** The collection of this name or alias; 404 otherwise. */
  collection(name: string): CollectionState {
    const { state } = this.consensus;
    return collectionOf(state, state.collections[name] ? name : (state.aliases[name] ?? name));
  }

  /** A version that is newer than all that this peer gave before, and than older ones of other peers. */
  nextVersion(): number {
    this.#lastVersion = Math.max(this.#lastVersion + 1, Date.now() * 1000);
    return this.#lastVersion;
  }

  uriOf(peer: PeerId): string | undefined {
    return this.consensus.state.peers[peer]?.uri;
  }
}
