import { EventEmitter, on } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** One line a container wrote. `time` is RFC 3339. */
export type LogLine = { readonly time: string; readonly text: string };

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

function parse(stored: string): LogLine[] {
  return stored
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ time: line.slice(0, line.indexOf(' ')), text: line.slice(line.indexOf(' ') + 1) }));
}

/** The output of one run of one container, in a file of bounded size whose older half rotates away. */
export class ContainerLog {
  readonly #path: string;
  readonly #maximumBytes: number;
  readonly #lines = new EventEmitter().setMaxListeners(0);
  readonly #ended = new AbortController();
  #file: number;
  #bytes = 0;

  /** @param maximumBytes kept at most, over both halves */
  constructor(path: string, maximumBytes: number) {
    this.#path = path;
    this.#maximumBytes = maximumBytes;
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, 'a');
  }

  append(text: string, time: string): void {
    if (this.#ended.signal.aborted) return;
    const line = `${time} ${text}\n`;
    if (this.#bytes + line.length > this.#maximumBytes / 2) this.#rotate();
    this.#bytes += line.length;
    writeSync(this.#file, line);
    this.#lines.emit('line', { time, text } satisfies LogLine);
  }

  #rotate(): void {
    closeSync(this.#file);
    renameSync(this.#path, `${this.#path}.1`);
    this.#file = openSync(this.#path, 'a');
    this.#bytes = 0;
  }

  /** No more lines come; followers end. */
  end(): void {
    if (this.#ended.signal.aborted) return;
    closeSync(this.#file);
    this.#ended.abort();
  }

  kept(): LogLine[] {
    return parse(read(`${this.#path}.1`) + read(this.#path));
  }

  /** Lines appended from now on, until the run ends or `signal` aborts. */
  async *following(signal: AbortSignal): AsyncGenerator<LogLine> {
    const stop = AbortSignal.any([signal, this.#ended.signal]);
    if (stop.aborted) return;
    const lines = on(this.#lines, 'line', { signal: stop });
    try {
      for await (const [line] of lines) yield line as LogLine;
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  remove(): void {
    this.end();
    rmSync(this.#path, { force: true });
    rmSync(`${this.#path}.1`, { force: true });
  }
}
