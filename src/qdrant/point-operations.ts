import { type BatchLimits, DEFAULT_BATCH } from './batches.ts';
import type { Call } from './call.ts';
import { unexpected } from './faults.ts';
import type { PayloadInit, QueryInit } from './grpc-types.ts';
import { fromGrpcId, fromGrpcPoint, toGrpcId, toGrpcShardKey } from './point-grpc.ts';
import { fromRestPoint, fromRestScoredPoint, type RestRecord, type RestScoredPoint } from './point-rest.ts';
import { part, restCall } from './rest.ts';
import { SnapshotOperations } from './snapshot-operations.ts';
import type { CallOptions, Payload, Point, PointId, Schemas, ScoredPoint, ShardKey } from './types.ts';
import { grpcUpserts, restUpserts, type Write } from './upsert.ts';
import type { PointVersion } from './wire-point.ts';

export type Ordering = 'weak' | 'medium' | 'strong';
/** `wait` is true unless said otherwise: then the points can be read when the call returns. */
export type WriteOptions = CallOptions & {
  readonly wait?: boolean;
  readonly ordering?: Ordering;
  readonly shardKey?: ShardKey;
};
/** A point's own `shardKey` wins over the option. */
export type UpsertOptions = WriteOptions & {
  readonly mode?: Schemas['UpdateMode'];
  readonly batch?: Partial<BatchLimits>;
};
export type ReadOptions = CallOptions & {
  readonly withVectors?: boolean;
  /** All of it, none, or these fields; dots lead into objects. */
  readonly withPayload?: boolean | readonly string[];
  readonly shardKey?: ShardKey;
};
export type VersionOptions = CallOptions & {
  /** Of the vector `using` ('' = the unnamed one). */
  readonly dimensions: number;
  readonly using: string;
  readonly shardKey?: ShardKey;
};
export type RetrieveOptions = ReadOptions & Pick<ScrollOptions, 'undecoded'>;
export type ScrollOptions = ReadOptions & {
  readonly offset?: PointId;
  readonly limit?: number;
  readonly filter?: Schemas['Filter'];
  /** By gRPC, leaves points as they come until somebody looks into them: see `WirePoint`. */
  readonly undecoded?: boolean;
};
export type ScrollPage = { readonly points: Point[]; readonly nextOffset: PointId | undefined };
export type CountOptions = CallOptions & {
  readonly exact?: boolean;
  readonly filter?: Schemas['Filter'];
  readonly shardKey?: ShardKey;
};
export type PointSelector = { readonly ids: readonly PointId[] } | { readonly filter: Schemas['Filter'] };

/** Points. The same shapes whether REST or gRPC carries them. */
export abstract class PointOperations extends SnapshotOperations {
  /** Whether every peer has an address for gRPC. */
  protected abstract readonly bulkByGrpc: boolean;

  /**
   * Writes points in batches of at most 8 MB, one after the other: by gRPC where every peer has an address for
   * it, else by REST. Repeating it is harmless, so it is repeated, at another peer too.
   *
   * @throws QdrantError `BadRequest` for a point that no request can carry; after an error earlier batches are written
   */
  async upsert(name: string, points: readonly Point[], options: UpsertOptions = {}): Promise<void> {
    const write: Write = {
      collection: name,
      wait: options.wait ?? true,
      ordering: options.ordering,
      mode: options.mode,
      limits: { ...DEFAULT_BATCH, ...options.batch },
    };
    const calls = this.bulkByGrpc ? grpcUpserts : restUpserts;
    for (const call of calls(points, options.shardKey, write)) await this.run(call, options);
  }

  /**
   * One page in the order of ids: integers ascending, then UUIDs. A filtered page goes by REST, an unfiltered one by
   * gRPC where there is one. A shard without a readable replica is left out silently (S2): see `everyShardReadable`.
   */
  async scroll(name: string, options: ScrollOptions = {}): Promise<ScrollPage> {
    const path = `/collections/${part(name, 'scroll')}/points/scroll`;
    const { offset, limit = 256, filter, withVectors = false, withPayload = true, shardKey } = options;
    const body = { offset, limit, filter, with_vector: withVectors, with_payload: withPayload, shard_key: shardKey };
    const decode = (result: { points: RestRecord[]; next_page_offset?: PointId | null }): ScrollPage => ({
      points: result.points.map(fromRestPoint),
      nextOffset: result.next_page_offset ?? undefined,
    });
    const rest = restCall({
      operation: 'scroll',
      kind: 'bulk',
      safety: 'read',
      method: 'POST',
      path,
      body,
      shape: 'object',
      doubles: true,
      decode,
    });
    if (!this.bulkByGrpc || filter !== undefined) return this.run(rest, options);
    const attempt: Call<ScrollPage>['attempt'] = async (peer, context) => {
      const request = {
        collectionName: name,
        limit,
        ...(offset === undefined ? {} : { offset: toGrpcId(offset) }),
        ...selection({ withVectors, withPayload, shardKey }),
      };
      if (options.undecoded === true) {
        const { points, nextOffset: next } = await peer.points.scrollWire(request, context);
        return { points, nextOffset: next === undefined ? undefined : fromGrpcId(next) };
      }
      const page = await peer.points.scroll(request, context);
      return {
        points: page.result.map(fromGrpcPoint),
        nextOffset: page.nextPageOffset === undefined ? undefined : fromGrpcId(page.nextPageOffset),
      };
    };
    return this.run({ ...rest, attempt }, options);
  }

  /** All points, page by page; the next page is fetched when the one before is used up. No isolation between pages. */
  async *scrollAll(name: string, options: ScrollOptions = {}): AsyncGenerator<Point, void, undefined> {
    for await (const page of this.scrollPages(name, options)) yield* page;
  }

  /** Like `scrollAll`, a page at a time. */
  async *scrollPages(name: string, options: ScrollOptions = {}): AsyncGenerator<Point[], void, undefined> {
    let offset = options.offset;
    do {
      const page: ScrollPage = await this.scroll(name, { ...options, ...(offset === undefined ? {} : { offset }) });
      if (page.points.length > 0) yield page.points;
      offset = page.nextOffset;
    } while (offset !== undefined);
  }

  async count(name: string, { exact = true, filter, shardKey, ...options }: CountOptions = {}): Promise<number> {
    const path = `/collections/${part(name, 'count')}/points/count`;
    const decode = ({ count }: Schemas['CountResult']) => count;
    const body = { exact, filter, shard_key: shardKey };
    return this.run(
      restCall({
        operation: 'count',
        kind: 'read',
        safety: 'read',
        method: 'POST',
        path,
        body,
        shape: 'object',
        decode,
      }),
      options,
    );
  }

  /** The points that exist among `ids`, in no promised order. */
  async retrieve(name: string, ids: readonly PointId[], options: RetrieveOptions = {}): Promise<Point[]> {
    const path = `/collections/${part(name, 'retrieve')}/points`;
    const { withVectors = false, withPayload = true, shardKey } = options;
    const body = { ids, with_vector: withVectors, with_payload: withPayload, shard_key: shardKey };
    const decode = (records: RestRecord[]) => records.map(fromRestPoint);
    const rest = restCall({
      operation: 'retrieve',
      kind: 'bulk',
      safety: 'read',
      method: 'POST',
      path,
      body,
      shape: 'array',
      doubles: true,
      decode,
    });
    if (!this.bulkByGrpc) return this.run(rest, options);
    const attempt: Call<Point[]>['attempt'] = async (peer, context) => {
      const selected = selection({ withVectors, withPayload, shardKey });
      const request = { collectionName: name, ids: ids.map(toGrpcId), ...selected };
      if (options.undecoded === true) return peer.points.getWire(request, context);
      const { result } = await peer.points.get(request, context);
      return result.map(fromGrpcPoint);
    };
    return this.run({ ...rest, attempt }, options);
  }

  /**
   * Which of these points have the vector, each with the number that its last change has in its shard's log: every write
   * to a point gives it another, also one that changes nothing (measured, for each kind of write). Numbers belong to a
   * replica: with several of a shard they say nothing. By gRPC only; found by an exact search among the ids.
   */
  async versions(name: string, ids: readonly PointId[], options: VersionOptions): Promise<PointVersion[] | undefined> {
    if (!this.bulkByGrpc) return undefined;
    const { dimensions, using, shardKey } = options;
    const data = Array.from({ length: dimensions }, (_, at) => (at === 0 ? 1 : 0));
    const hasId = { conditionOneOf: { case: 'hasId', value: { hasId: ids.map(toGrpcId) } } } as const;
    const request = {
      collectionName: name,
      query: { variant: { case: 'nearest', value: { variant: { case: 'dense', value: { data } } } } },
      ...(using === '' ? {} : { using }),
      filter: { must: [hasId] },
      params: { exact: true },
      limit: BigInt(ids.length),
      ...selection({ withVectors: false, withPayload: false, shardKey }),
    } as unknown as QueryInit;
    const attempt: Call<PointVersion[]>['attempt'] = (peer, context) => peer.points.versions(request, context);
    return this.run({ operation: 'versions', kind: 'bulk', safety: 'read', attempt }, options);
  }

  /** Search, by Qdrant's universal query. */
  async query(name: string, body: Schemas['QueryRequest'], options?: CallOptions): Promise<ScoredPoint[]> {
    const path = `/collections/${part(name, 'query')}/points/query`;
    const decode = ({ points }: { points: RestScoredPoint[] }) => points.map(fromRestScoredPoint);
    return this.run(
      restCall({
        operation: 'query',
        kind: 'read',
        safety: 'read',
        method: 'POST',
        path,
        body,
        shape: 'object',
        doubles: true,
        decode,
      }),
      options,
    );
  }

  /** By ids it is repeated when in doubt; by filter never, for a repeat would hit points written in between. */
  async deletePoints(name: string, selector: PointSelector, options: WriteOptions = {}): Promise<void> {
    const path = `/collections/${part(name, 'delete_points')}/points/delete`;
    const body = { ...selectorBody(selector), shard_key: options.shardKey };
    await this.#write({ operation: 'delete_points', path, body, repeatable: 'ids' in selector }, options);
  }

  /** Merges into the payload of the points; at `key` when given. */
  async setPayload(
    name: string,
    payload: Payload,
    options: WriteOptions & { selector: PointSelector; key?: string },
  ): Promise<void> {
    const path = `/collections/${part(name, 'set_payload')}/points/payload`;
    const { selector, key, shardKey } = options;
    const body = { payload, key, ...selectorBody(selector), shard_key: shardKey };
    await this.#write({ operation: 'set_payload', path, body, repeatable: 'ids' in selector }, options);
  }

  async #write(
    write: { operation: string; path: string; body: unknown; repeatable: boolean },
    options: WriteOptions,
  ): Promise<void> {
    const { operation, path, body, repeatable } = write;
    const wait = options.wait ?? true;
    const query = { wait, ordering: options.ordering };
    const safety = repeatable ? 'idempotent' : 'once';
    const call = restCall<Schemas['UpdateResult']>({
      operation,
      kind: 'bulk',
      safety,
      method: 'POST',
      path,
      query,
      body,
      shape: 'object',
    });
    const attempt: typeof call.attempt = async (peer, context) => {
      const result = await call.attempt(peer, context);
      if (wait && result.status !== 'completed')
        throw unexpected(200, `Qdrant says ${result.status} although asked to wait`, peer.origin(context));
      return result;
    };
    await this.run({ ...call, attempt }, options);
  }
}

const selectorBody = (selector: PointSelector) =>
  'ids' in selector ? { points: selector.ids } : { filter: selector.filter };

type Selection = {
  readonly withVectors: boolean;
  readonly withPayload: boolean | readonly string[];
  readonly shardKey: ShardKey | undefined;
};

const selection = ({ withVectors, withPayload, shardKey }: Selection) =>
  ({
    withVectors: { selectorOptions: { case: 'enable', value: withVectors } },
    withPayload: payloadSelector(withPayload),
    ...(shardKey === undefined ? {} : { shardKeySelector: { shardKeys: [toGrpcShardKey(shardKey)] } }),
  }) as const;

const payloadSelector = (wanted: Selection['withPayload']): PayloadInit =>
  typeof wanted === 'boolean'
    ? { selectorOptions: { case: 'enable', value: wanted } }
    : { selectorOptions: { case: 'include', value: { fields: [...wanted] } } };
