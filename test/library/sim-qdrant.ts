import type { QdrantCluster } from '../../src/api/index.ts';
import type { Look, PeerLook } from '../../src/library/look.ts';
import type { Section } from '../../src/library/shape.ts';
import type { Blind, Sight, World } from '../../src/library/world.ts';
import type { CollectionView, Schemas, ShardKey } from '../../src/qdrant/index.ts';
import { cluster } from './given.ts';

/** A collection of the simulated Qdrant: its configuration as Qdrant shows it, and its points. */
export type SimCollection = { info: Schemas['CollectionInfo']; keys: ShardKey[]; points: Map<number, string> };

/** One simulated Qdrant, and the object that stands for it; without the object it is out of reach. */
export class SimQdrant {
  readonly name: string;
  cluster: QdrantCluster | undefined;
  readonly collections = new Map<string, SimCollection>();
  readonly aliases = new Map<string, string>();
  /** Was asked without an answer, and is carried out before whatever is asked of aliases next. */
  late: (() => void) | undefined;
  silent: Look['silent'] = [];
  /** A collection of which one more replica is coming back. */
  recovering: string | undefined;
  /** Of the two peers. */
  versions: readonly [string, string] = ['1.18.3', '1.18.3'];
  /** Both peers stand behind one address. */
  oneAddress = false;
  /** Set while nobody can look at it. */
  blind: Blind | undefined;
  rivals: World['rivals'] = [];

  constructor(name: string) {
    this.name = name;
    this.cluster = cluster({ metadata: { name, namespace: 'team', uid: `uid-of-${name}` } });
  }

  look(): Look {
    const peer = (peerId: number): PeerLook => ({
      name: `${this.name}-${peerId - 1}`,
      peerId,
      version: this.versions[peerId - 1] ?? '',
      memberIds: [1, 2],
      distributed: true,
      consensus: 'working',
      collections: [...this.collections.keys()],
      aliases: Object.fromEntries(this.aliases),
      own: Object.fromEntries(
        [...this.collections].map(([name, collection]) => [
          name,
          {
            info: { ...collection.info, points_count: collection.points.size || (collection.info.points_count ?? 0) },
            view: viewOf(name, collection, this.recovering === name),
          },
        ]),
      ),
    });
    const quiet = new Set(this.silent.map(({ name }) => name));
    return {
      peers: (this.oneAddress ? [peer(1)] : [peer(1), peer(2)]).filter(({ name }) => !quiet.has(name)),
      silent: this.silent,
      everyPeerListed: !this.oneAddress,
    };
  }

  get sight(): Sight {
    const gone = { kind: 'blind', reason: 'ClusterNotFound', message: `QdrantCluster ${this.name} is gone` } as const;
    return this.cluster === undefined ? gone : (this.blind ?? { kind: 'seen', look: this.look() });
  }

  /** The collection that clients of a name reach here. */
  catchUp(): void {
    this.late?.();
    this.late = undefined;
  }

  answering(alias: string): SimCollection | undefined {
    return this.collections.get(this.aliases.get(alias) ?? alias);
  }
}

const viewOf = (name: string, { info, keys }: SimCollection, recovering: boolean): CollectionView => {
  const count = info.config.params.shard_number ?? 1;
  const shards =
    keys.length > 0 ? keys.map((key, id) => ({ id: id + 1, key })) : Array.from({ length: count }, (_, id) => ({ id }));
  return {
    name,
    shardCount: shards.length,
    shards: shards.map((shard) => ({
      ...shard,
      replicas: [{ peerId: 1, state: 'Active' }, ...(recovering ? [{ peerId: 2, state: 'Recovery' as const }] : [])],
    })),
    transfers: [],
  };
};

export function created(body: Section): SimCollection {
  const {
    vectors,
    sparse_vectors,
    shard_number,
    sharding_method,
    replication_factor,
    write_consistency_factor,
    on_disk_payload,
  } = body;
  const info = {
    status: 'green',
    points_count: 0,
    payload_schema: {},
    config: {
      params: {
        vectors,
        sparse_vectors: sparse_vectors ?? null,
        shard_number: shard_number ?? 1,
        ...(sharding_method === undefined ? {} : { sharding_method }),
        replication_factor: replication_factor ?? 1,
        write_consistency_factor: write_consistency_factor ?? 1,
        on_disk_payload: on_disk_payload ?? true,
      },
      hnsw_config: { m: 16, ef_construct: 100, full_scan_threshold: 10_000, ...(body['hnsw_config'] as Section) },
      optimizer_config: { deleted_threshold: 0.2, flush_interval_sec: 5, ...(body['optimizers_config'] as Section) },
      quantization_config: body['quantization_config'] ?? null,
      strict_mode_config: body['strict_mode_config'] ?? { enabled: false },
      metadata: body['metadata'],
    },
  };
  return { info: info as unknown as Schemas['CollectionInfo'], keys: [], points: new Map() };
}
