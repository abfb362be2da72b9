import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { CollectionParams } from '../state/types.ts';
import { applyOperation } from './apply-operation.ts';
import { type CompiledFilter, compileFilter, rawAt } from './filter.ts';
import { LogFile } from './log-file.ts';
import { idsThatMustExist, type ShardOperation, type VersionedOperation } from './operations.ts';
import { compareIds, type PointId, type StoredPoint } from './point.ts';
import { type Hit, type Search, searchPoints } from './search.ts';
import { vectorBytes } from './vectors.ts';

/** A log this much larger than what it holds is written anew. */
const COMPACT_BYTES = 16 * 1024 * 1024;
const LOAD_BATCH = 500;

export type ScrollPage = { readonly points: StoredPoint[]; readonly next: PointId | undefined };

/** The points of one replica on this peer: in memory, with a log on disk. */
export class Shard {
  readonly points = new Map<PointId, StoredPoint>();
  /** Versions of deleted points, so that a late older write doesn't bring one back. */
  readonly tombstones = new Map<PointId, number>();
  /** Number of operations applied, the `op_num` of telemetry. */
  operations = 0;
  readonly #log: LogFile;
  #ordered: PointId[] | undefined;
  #compactAt = COMPACT_BYTES;
  #bytes: { vectors: number; payloads: number } | undefined;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#log = LogFile.open(join(directory, 'points.log'), (record) => {
      applyOperation(this, record as VersionedOperation);
      this.operations += 1;
    });
    this.#compactAt = Math.max(COMPACT_BYTES, this.#log.bytes * 2);
  }

  /** Applies a change; it is on disk when this returns. */
  update(change: VersionedOperation): void {
    this.#mustExist(change.operation);
    const size = this.points.size;
    this.#log.append(change);
    applyOperation(this, change);
    this.operations += 1;
    this.#bytes = undefined;
    // Equal size after payload changes or overwrites: the order of ids still holds.
    if (this.points.size !== size || change.operation.kind === 'clear') this.#ordered = undefined;
    if (change.operation.kind === 'clear' || this.#log.bytes > this.#compactAt) this.#compact();
  }

  #mustExist(operation: ShardOperation): void {
    const ids = idsThatMustExist(operation);
    const missing = ids.find((id) => !this.points.has(id));
    if (missing !== undefined) throw new EngineError('NotFound', `No point with id ${missing} found`);
  }

  #compact(): void {
    this.#log.rewrite(this.#snapshotRecords());
    this.#compactAt = Math.max(COMPACT_BYTES, this.#log.bytes * 2);
  }

  *#snapshotRecords(): Generator<VersionedOperation> {
    for (const points of this.batches()) yield { operation: { kind: 'load', points }, version: 0 };
  }

  /** All points in pieces, for transfers and snapshots. */
  *batches(size = LOAD_BATCH): Generator<StoredPoint[]> {
    let batch: StoredPoint[] = [];
    for (const point of [...this.points.values()]) {
      batch.push(point);
      if (batch.length === size) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }

  retrieve(ids: readonly PointId[]): StoredPoint[] {
    return ids.flatMap((id) => this.points.get(id) ?? []);
  }

  scroll(options: { offset?: PointId | undefined; limit: number; filter?: Json | undefined }): ScrollPage {
    const filter = compileFilter(options.filter);
    const page: StoredPoint[] = [];
    const ids = filter?.ids?.toSorted(compareIds) ?? this.orderedIds();
    for (let index = firstAtLeast(ids, options.offset); index < ids.length; index += 1) {
      const point = this.points.get(ids[index] ?? 0);
      if (point === undefined || (filter && !filter.matches(point))) continue;
      if (page.length === options.limit) return { points: page, next: point.id };
      page.push(point);
    }
    return { points: page, next: undefined };
  }

  count(filter: Json | undefined): number {
    const compiled = compileFilter(filter);
    if (compiled === undefined) return this.points.size;
    let count = 0;
    for (const _point of this.matching(compiled)) count += 1;
    return count;
  }

  *matching(filter: CompiledFilter | undefined): Generator<StoredPoint> {
    const candidates = filter?.ids ? this.retrieve(filter.ids) : this.points.values();
    for (const point of candidates) if (filter === undefined || filter.matches(point)) yield point;
  }

  search(search: Search, params: CollectionParams): Hit[] {
    return searchPoints(this.points.values().toArray(), search, params);
  }

  /** How often each value of a payload key occurs. */
  facet(key: string, filter: Json | undefined): Map<string | number | boolean, number> {
    const counts = new Map<string | number | boolean, number>();
    for (const point of this.matching(compileFilter(filter))) {
      for (const value of new Set(rawAt(point.payload, key).flat())) {
        if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue;
        counts.set(value, (counts.get(value) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** Bytes of vectors and payloads, computed when asked and kept until the next change. */
  sizes(): { vectors: number; payloads: number } {
    if (this.#bytes === undefined) {
      let vectors = 0;
      let payloads = 0;
      for (const point of this.points.values()) {
        vectors += vectorBytes(point.vectors);
        payloads += Object.keys(point.payload).length * 32;
      }
      this.#bytes = { vectors, payloads };
    }
    return this.#bytes;
  }

  orderedIds(): readonly PointId[] {
    this.#ordered ??= [...this.points.keys()].sort(compareIds);
    return this.#ordered;
  }

  close(): void {
    this.#log.close();
  }
}

function firstAtLeast(ids: readonly PointId[], offset: PointId | undefined): number {
  if (offset === undefined) return 0;
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareIds(ids[middle] ?? 0, offset) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
