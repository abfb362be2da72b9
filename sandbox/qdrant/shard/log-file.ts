import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';

const HEADER = 4;

/** An append-only file of length-prefixed values; an append is with the operating system when it returns. */
export class LogFile {
  readonly #path: string;
  #file: number;
  bytes = 0;

  private constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a+');
    this.bytes = fstatSync(this.#file).size;
  }

  /** Opens the log and gives every whole record to `replay`; a record cut short by a kill is dropped. */
  static open(path: string, replay: (record: unknown) => void): LogFile {
    const whole = existsSync(path) ? readRecords(path, replay) : 0;
    const log = new LogFile(path);
    if (log.bytes > whole) log.#truncate(whole);
    return log;
  }

  append(record: unknown): void {
    const body = serialize(record);
    const head = Buffer.allocUnsafe(HEADER);
    head.writeUInt32LE(body.length);
    const frame = Buffer.concat([head, body]);
    for (let written = 0; written < frame.length; ) written += writeSync(this.#file, frame, written);
    this.bytes += frame.length;
  }

  /** Replaces the content by these records, atomically. */
  rewrite(records: Iterable<unknown>): void {
    const next = `${this.#path}.next`;
    const fresh = new LogFile(next);
    for (const record of records) fresh.append(record);
    renameSync(next, this.#path);
    closeSync(this.#file);
    this.#file = fresh.#file;
    this.bytes = fresh.bytes;
  }

  close(): void {
    closeSync(this.#file);
  }

  #truncate(length: number): void {
    const records: unknown[] = [];
    readRecords(this.#path, (record) => records.push(record), length);
    this.rewrite(records);
  }
}

/** Returns how many bytes held whole records. */
function readRecords(path: string, replay: (record: unknown) => void, limit = Number.POSITIVE_INFINITY): number {
  const file = openSync(path, 'r');
  const head = Buffer.allocUnsafe(HEADER);
  let position = 0;
  try {
    const size = Math.min(fstatSync(file).size, limit);
    while (position + HEADER <= size && readSync(file, head, 0, HEADER, position) === HEADER) {
      const length = head.readUInt32LE();
      if (position + HEADER + length > size) break;
      const body = Buffer.allocUnsafeSlow(length);
      readSync(file, body, 0, length, position + HEADER);
      replay(deserialize(body));
      position += HEADER + length;
    }
    return position;
  } finally {
    closeSync(file);
  }
}
