import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, type ReadStream } from 'node:fs';
import { mkdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type StoredObject = { readonly bytes: number; readonly etag: string; readonly modifiedAt: Date };
type Part = { readonly file: string; readonly etag: string };
type Upload = { readonly key: string; readonly parts: Map<number, Part> };

/** The objects of one bucket: files in a directory, and what is known of them in memory. */
export class Objects {
  readonly #directory: string;
  readonly #objects = new Map<string, StoredObject & { readonly file: string }>();
  readonly #uploads = new Map<string, Upload>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  list(prefix: string): [string, StoredObject][] {
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  find(key: string): StoredObject | undefined {
    return this.#objects.get(key);
  }

  read(key: string): ReadStream | undefined {
    const found = this.#objects.get(key);
    return found === undefined ? undefined : createReadStream(found.file);
  }

  async put(key: string, body: Readable): Promise<StoredObject> {
    const { file, etag } = await this.#save(body);
    return this.#keep(key, file, etag);
  }

  async remove(key: string): Promise<void> {
    const found = this.#objects.get(key);
    this.#objects.delete(key);
    if (found !== undefined) await rm(found.file, { force: true });
  }

  /** Cuts the second half off, as a service does that loses what it has acknowledged. */
  async halve(key: string): Promise<void> {
    const found = this.#objects.get(key);
    if (found === undefined) return;
    await truncate(found.file, Math.floor(found.bytes / 2));
    await this.#keep(key, found.file, found.etag);
  }

  begin(key: string): string {
    const id = randomUUID();
    this.#uploads.set(id, { key, parts: new Map() });
    return id;
  }

  uploads(prefix: string): { readonly key: string; readonly id: string }[] {
    return [...this.#uploads].flatMap(([id, { key }]) => (key.startsWith(prefix) ? [{ key, id }] : []));
  }

  /** @returns undefined for an upload that isn't there */
  async putPart(id: string, number: number, body: Readable): Promise<Part | undefined> {
    const part = await this.#save(body);
    const upload = this.#uploads.get(id);
    if (upload === undefined) await rm(part.file, { force: true });
    upload?.parts.set(number, part);
    return upload === undefined ? undefined : part;
  }

  /** Puts the parts together in the order of their numbers. @returns undefined for an upload that isn't there */
  async complete(id: string): Promise<{ readonly key: string; readonly object: StoredObject } | undefined> {
    const upload = this.#uploads.get(id);
    if (upload === undefined) return undefined;
    const parts = [...upload.parts].toSorted(([a], [b]) => a - b).map(([, part]) => part);
    const file = join(this.#directory, randomUUID());
    await mkdir(this.#directory, { recursive: true });
    for (const part of parts) await pipeline(createReadStream(part.file), createWriteStream(file, { flags: 'a' }));
    const etags = createHash('md5');
    for (const part of parts) etags.update(Buffer.from(part.etag, 'hex'));
    await this.abort(id);
    const object = await this.#keep(upload.key, file, `${etags.digest('hex')}-${parts.length}`);
    return { key: upload.key, object };
  }

  async abort(id: string): Promise<boolean> {
    const upload = this.#uploads.get(id);
    this.#uploads.delete(id);
    for (const { file } of upload?.parts.values() ?? []) await rm(file, { force: true });
    return upload !== undefined;
  }

  async #save(body: Readable): Promise<Part> {
    await mkdir(this.#directory, { recursive: true });
    const file = join(this.#directory, randomUUID());
    const hash = createHash('md5');
    body.on('data', (chunk: Buffer) => hash.update(chunk));
    await pipeline(body, createWriteStream(file));
    return { file, etag: hash.digest('hex') };
  }

  async #keep(key: string, file: string, etag: string): Promise<StoredObject> {
    const { size } = await stat(file);
    const before = this.#objects.get(key);
    const object = { bytes: size, etag, modifiedAt: new Date(), file };
    this.#objects.set(key, object);
    if (before !== undefined && before.file !== file) await rm(before.file, { force: true });
    return object;
  }
}
