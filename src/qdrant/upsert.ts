import type { PointsOperationResponse } from '@qdrant/js-client-grpc';
import type { Attempt } from './attempt.ts';
import { type BatchLimits, batches, OversizedItem } from './batches.ts';
import type { Call } from './call.ts';
import { QdrantError } from './errors.ts';
import { unexpected } from './faults.ts';
import type { PointInit, UpsertInit } from './grpc-types.ts';
import { stringifyJson } from './json.ts';
import type { PeerTransport } from './peer-transport.ts';
import { toGrpcPoint, toGrpcShardKey } from './point-grpc.ts';
import { toRestPoint } from './point-rest.ts';
import { pointBytes } from './point-size.ts';
import { part, restCall } from './rest.ts';
import type { Point, Schemas, ShardKey } from './types.ts';
import { toWritten, WirePoint } from './wire-point.ts';

/** What all batches of one upsert share. */
export type Write = {
  readonly collection: string;
  readonly wait: boolean;
  readonly ordering: 'weak' | 'medium' | 'strong' | undefined;
  readonly mode: Schemas['UpdateMode'] | undefined;
  readonly limits: BatchLimits;
};

const OPERATION = 'upsert';
/** Before each point of a request. */
const TAG_BYTES = 1;
type Item<T> = { readonly point: Point; readonly bytes: number; readonly encoded: T };

/** One call by REST for each batch: points of one shard key, in their order. */
export function* restUpserts(
  points: readonly Point[],
  shardKey: ShardKey | undefined,
  write: Write,
): Generator<Call<unknown>> {
  const path = `/collections/${part(write.collection, OPERATION)}/points`;
  const query = { wait: write.wait, ordering: write.ordering };
  const encode = (point: Point): Item<string> => {
    const encoded = stringifyJson(toRestPoint(point));
    return { point, bytes: Buffer.byteLength(encoded) + 1, encoded };
  };
  for (const { key, items } of cut(points, { shardKey, encode, limits: write.limits })) {
    const rest = stringifyJson({ shard_key: key, update_mode: write.mode }).slice(1);
    const text = `{"points":[${items.map((item) => item.encoded).join(',')}]${rest === '}' ? '' : ','}${rest}`;
    const call = restCall<Schemas['UpdateResult']>({
      operation: OPERATION,
      kind: 'bulk',
      safety: 'idempotent',
      method: 'PUT',
      path,
      query,
      text,
      shape: 'object',
    });
    const attempt: typeof call.attempt = async (peer, context) => {
      const result = await call.attempt(peer, context);
      checkStatus(result.status, write, { peer, context });
      return result;
    };
    yield { ...call, attempt };
  }
}

const ORDERING = { weak: 0, medium: 1, strong: 2 } as const;
const MODE = { upsert: 0, insert_only: 1, update_only: 2 } as const;
const STATUS: readonly string[] = ['unknown', 'acknowledged', 'completed', 'clock_rejected', 'wait_timeout'];

/** The same by gRPC. */
export function* grpcUpserts(
  points: readonly Point[],
  shardKey: ShardKey | undefined,
  write: Write,
): Generator<Call<unknown>> {
  part(write.collection, OPERATION);
  const encode = (point: Point): Item<PointInit | Buffer> => {
    const encoded = point instanceof WirePoint ? toWritten(point) : undefined;
    if (encoded === undefined) return { point, bytes: pointBytes(point), encoded: toGrpcPoint(point) };
    return { point, bytes: encoded.length + TAG_BYTES, encoded };
  };
  for (const { key, items } of cut(points, { shardKey, encode, limits: write.limits })) {
    const request: UpsertInit = {
      collectionName: write.collection,
      wait: write.wait,
      ...(write.ordering === undefined ? {} : { ordering: { type: ORDERING[write.ordering] } }),
      ...(write.mode === undefined ? {} : { updateMode: MODE[write.mode] }),
      ...(key === undefined ? {} : { shardKeySelector: { shardKeys: [toGrpcShardKey(key)] } }),
    };
    const encoded = items.map((item) => item.encoded);
    const bytes = encoded.filter((item) => Buffer.isBuffer(item));
    const points = encoded.filter((item): item is PointInit => !Buffer.isBuffer(item)) as UpsertInit['points'] & object;
    const send: (to: PeerTransport['points'], context: Attempt) => Promise<PointsOperationResponse> =
      bytes.length === 0
        ? (to, context) => to.upsert({ ...request, points }, context)
        : (to, context) => to.upsertWire({ ...request, points }, bytes, context);
    yield {
      operation: OPERATION,
      kind: 'bulk',
      safety: 'idempotent',
      attempt: async (peer, context) => {
        const { result } = await send(peer.points, context);
        checkStatus(STATUS[result?.status ?? 0] ?? 'unknown', write, { peer, context });
      },
    };
  }
}

type Cutting<T> = {
  readonly shardKey: ShardKey | undefined;
  readonly encode: (point: Point) => Item<T>;
  readonly limits: BatchLimits;
};

function* cut<T>(
  points: readonly Point[],
  { shardKey, encode, limits }: Cutting<T>,
): Generator<{ key: ShardKey | undefined; items: Item<T>[] }> {
  for (const [key, group] of Map.groupBy(points, (point) => point.shardKey ?? shardKey)) {
    let current: Point | undefined;
    const items = group.values().map((point) => {
      current = point;
      return encode(point);
    });
    try {
      for (const batch of batches(items, (item) => item.bytes, limits)) yield { key, items: batch };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const message = error instanceof OversizedItem ? `point ${current?.id}: ${error.message}` : error.message;
      throw new QdrantError({ code: 'BadRequest', operation: OPERATION, peer: 'client', message });
    }
  }
}

function checkStatus(
  status: string,
  { wait }: Write,
  { peer, context }: { peer: PeerTransport; context: Attempt },
): void {
  if (status === 'completed' || (!wait && status === 'acknowledged')) return;
  throw unexpected(200, `Qdrant says ${status}${wait ? ' although asked to wait' : ''}`, peer.origin(context));
}
