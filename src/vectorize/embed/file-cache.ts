import { type FileHandle, mkdir, open, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheEntry, VectorCache } from './cache.ts';
import { encodeRecord, recordKey, recordLength, recordVector } from './record.ts';

export type FileCacheOptions = {
  readonly directory: string;
  /** Of all files together. The oldest eighth goes when they would be larger. */
  readonly maxBytes: number;
};

type Segment = {
  readonly number: number;
  readonly path: string;
  readonly file: FileHandle;
  readonly keys: string[];
  end: number;
};
type Place = { readonly segment: Segment; readonly offset: number; readonly length: number };

const SEGMENTS = 8;
const NAME = /^(\d{8})\.vectors$/;

/**
 * Vectors in files that only grow, for one process at a time. A record counts when it is whole, so whatever ends the
 * process in the middle of a write costs that write and nothing else; a damaged record is as good as none.
 */
export class FileCache implements VectorCache {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #segments: Segment[] = [];
  readonly #places = new Map<string, Place>();
  #writing: Promise<void> = Promise.resolve();

  private constructor({ directory, maxBytes }: FileCacheOptions) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
  }

  /** Makes the directory, or goes on with what is in it. Rejects with the file system's error. */
  static async open(options: FileCacheOptions): Promise<FileCache> {
    await mkdir(options.directory, { recursive: true });
    const cache = new FileCache(options);
    const names = await readdir(options.directory);
    for (const name of names.filter((entry) => NAME.test(entry)).toSorted()) await cache.#load(name);
    await cache.#shrink(0);
    return cache;
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#segments.reduce((sum, { end }) => sum + end, 0);
  }

  get size(): number {
    return this.#places.size;
  }

  get(keys: readonly string[]): Promise<(Float32Array | undefined)[]> {
    return Promise.all(keys.map((key) => this.#read(key)));
  }

  /** Leaves out what would take half of the room at once. Rejects with the file system's error; what was there stays. */
  put(entries: readonly CacheEntry[]): Promise<void> {
    const written = this.#writing.then(() => this.#append(entries));
    this.#writing = written.catch(() => undefined);
    return written;
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing;
    await Promise.all(this.#segments.map(({ file }) => file.close()));
  }

  async #read(key: string): Promise<Float32Array | undefined> {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const record = Buffer.allocUnsafe(place.length);
    try {
      const { bytesRead } = await place.segment.file.read(record, 0, place.length, place.offset);
      if (bytesRead !== place.length || recordLength(record) !== place.length) return undefined;
    } catch {
      // Its file was removed to make room.
      return undefined;
    }
    return recordKey(record) === key ? recordVector(record) : undefined;
  }

  async #append(entries: readonly CacheEntry[]): Promise<void> {
    const fresh = entries.filter(({ key }) => !this.#places.has(key));
    const records = fresh.map((entry) => encodeRecord(entry));
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    if (bytes === 0 || bytes > this.#maxBytes / 2) return;
    await this.#shrink(bytes);
    const last = this.#segments.at(-1);
    const full = last === undefined || last.end + bytes > this.#maxBytes / SEGMENTS;
    const segment = full ? await this.#create((last?.number ?? 0) + 1) : last;
    try {
      await segment.file.write(Buffer.concat(records, bytes), 0, bytes, segment.end);
    } catch (error) {
      // A disk that is full holds a part of it.
      await segment.file.truncate(segment.end).catch(() => undefined);
      throw error;
    }
    for (const record of records) this.#found(segment, record);
  }

  #found(segment: Segment, record: Buffer): void {
    const key = recordKey(record);
    this.#places.set(key, { segment, offset: segment.end, length: record.length });
    segment.keys.push(key);
    segment.end += record.length;
  }

  async #create(number: number): Promise<Segment> {
    const path = join(this.#directory, `${String(number).padStart(8, '0')}.vectors`);
    const segment = { number, path, file: await open(path, 'wx+'), keys: [], end: 0 };
    this.#segments.push(segment);
    return segment;
  }

  async #load(name: string): Promise<void> {
    const path = join(this.#directory, name);
    const file = await open(path, 'r+');
    const segment: Segment = { number: Number(NAME.exec(name)?.[1]), path, file, keys: [], end: 0 };
    this.#segments.push(segment);
    const bytes = await file.readFile();
    for (;;) {
      const length = recordLength(bytes.subarray(segment.end));
      if (length === undefined) break;
      this.#found(segment, bytes.subarray(segment.end, segment.end + length));
    }
    if (segment.end < bytes.length) await file.truncate(segment.end);
  }

  async #shrink(wanted: number): Promise<void> {
    while (this.#segments.length > 0 && this.bytes + wanted > this.#maxBytes) {
      const [oldest] = this.#segments.splice(0, 1);
      if (oldest === undefined) return;
      for (const key of oldest.keys) if (this.#places.get(key)?.segment === oldest) this.#places.delete(key);
      await oldest.file.close();
      await unlink(oldest.path);
    }
  }
}
