import { type DomainLibrary, parseQuantity, type QdrantCluster } from '../../api/index.ts';
import {
  chooseEngine,
  type EngineChoice,
  type EngineWish,
  type SegmentConfig,
  segmentConfig,
} from '../../migration/index.ts';
import { createBody } from '../create-body.ts';
import type { Observed } from '../observed.ts';
import type { Shape } from '../shape.ts';

export type MoveEngineSubject = {
  readonly library: DomainLibrary;
  /** The active collection, and the shape that the next generation is to have. */
  readonly from: Observed;
  readonly shape: Shape;
  readonly target: QdrantCluster | undefined;
  /** Versions of Qdrant that peers tell. */
  readonly versions: { readonly source: readonly string[]; readonly target: readonly string[] };
  /** Vectors that live on the target already, in bytes of one replica each. */
  readonly vectorsBytes: number;
  readonly replicationFactor: number;
  /** What a policy asks for. */
  readonly wish: EngineWish | undefined;
};

/** How the bulk of a move's data is to travel. The worker asks again, by both collections as they are. */
export function engineOfMove(subject: MoveEngineSubject): EngineChoice {
  const { from, shape, versions, wish = 'Auto' } = subject;
  return chooseEngine({
    source: { config: configNow(from), versions: versions.source },
    target: { config: configAfter(shape, from), versions: versions.target },
    used: undefined,
    room: roomUnknown(subject),
    wish,
  });
}

const configNow = ({ params, vectors, sparse, shardNumber, hnsw, quantization, optimizers }: Observed): SegmentConfig =>
  segmentConfig({
    params: { ...params, vectors: named(vectors), sparse_vectors: sparse, shard_number: shardNumber },
    hnsw,
    quantization,
    optimizers,
  });

/** What the collection is going to be made of; its indexes are made to fit. */
function configAfter(shape: Shape, base: Observed): SegmentConfig {
  const mark = { uid: '', namespace: '', name: '', generation: 0 };
  const body = createBody(shape, { mark, base, strictMode: false });
  return segmentConfig({
    params: { on_disk_payload: base.params['on_disk_payload'], ...body },
    hnsw: body.hnsw_config,
    quantization: body.quantization_config,
    optimizers: body.optimizers_config,
  });
}

const UNNAMED = '';
const named = (vectors: Observed['vectors']): unknown => vectors[UNNAMED] ?? vectors;

/** As the API's default says. */
const VOLUME = '10Gi';
/**
 * The snapshot as it arrives, unpacked, and put in place; and payloads and indexes, of which nobody tells the size. A
 * peer whose disk is full in the middle of a recovery was seen to end.
 */
const ROOM_FACTOR = 5;

function roomUnknown({ library, target, vectorsBytes, replicationFactor }: MoveEngineSubject): string | undefined {
  const own = library.status?.vectorsBytes;
  const name = target?.metadata.name ?? '';
  if (target === undefined || target.spec.external !== undefined)
    return `QdrantCluster ${name} doesn't tell how much room its disks have`;
  if (own === undefined) return 'nobody knows yet how much room the vectors take';
  const disks = Number(parseQuantity(target.spec.persistence?.size ?? VOLUME) / 10n ** 9n) * (target.spec.size ?? 1);
  const needed = own * replicationFactor * ROOM_FACTOR + vectorsBytes;
  return needed <= disks ? undefined : `the disks of QdrantCluster ${name} may be too small for snapshots`;
}

/** What the worker of a move is told, by what was chosen and what a policy asks for. */
export function workersEngine(
  change: { readonly engine?: 'Scroll' | 'ShardSnapshot'; readonly engineReason?: string } | undefined,
  wish: EngineWish | undefined,
): { readonly wish: 'Auto' | 'ShardSnapshot' | 'Scroll'; readonly reason?: string } {
  if (wish === 'ShardSnapshot') return { wish };
  if (change?.engine === 'ShardSnapshot') return { wish: 'Auto' };
  const reason = change?.engineReason;
  return { wish: 'Scroll', ...(reason === undefined || reason === '' ? {} : { reason }) };
}
