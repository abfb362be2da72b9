import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { Audit, type AuditEntry, type AuditFilter } from '../../../sandbox/kube/index.ts';

/** What is read here of an event. Source: `audit.k8s.io/v1`. */
type AuditEvent = {
  readonly stage: string;
  readonly requestURI: string;
  readonly verb: string;
  readonly user?: { readonly username?: string };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code?: number };
  readonly requestReceivedTimestamp: string;
};

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
const CHUNK_BYTES = 256 * 1024;
const LISTEN_MILLISECONDS = 100;

/** The event as an entry. Whether a write changed anything is not told: every one that succeeded counts. */
export function entryOf(event: AuditEvent): AuditEntry {
  const { verb, user, userAgent = '', objectRef, responseStatus } = event;
  const code = responseStatus?.code ?? 0;
  const { apiGroup = '', resource = '', subresource = '', namespace = '', name = '' } = objectRef ?? {};
  const parts = [apiGroup, resource, ...(subresource === '' ? [] : [subresource])];
  return {
    at: Date.parse(event.requestReceivedTimestamp),
    user: user?.username ?? '',
    verb,
    resource: objectRef === undefined ? '' : parts.join('/'),
    namespace,
    name,
    path: event.requestURI.split('?', 1)[0] ?? '',
    code,
    wrote: WRITES.has(verb) && code >= 200 && code < 300,
    userAgent,
  };
}

/** The audit log of a real API server as it grows: read whenever something is asked. */
export class AuditLog extends Audit {
  readonly #path: string;
  readonly #buffer = Buffer.alloc(CHUNK_BYTES);
  #file: number | undefined;
  #decoder = new StringDecoder();
  #rest = '';
  #listeners = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param path of the file; it may not be there yet, and may be exchanged for a new one when it is full */
  constructor(path: string) {
    super();
    this.#path = path;
  }

  override count(filter: AuditFilter = {}): number {
    this.#catchUp();
    return super.count(filter);
  }

  override summary(): ReturnType<Audit['summary']> {
    this.#catchUp();
    return super.summary();
  }

  override reset(): void {
    this.#catchUp();
    super.reset();
  }

  override onRequest(listener: (entry: AuditEntry) => void): () => void {
    this.#catchUp();
    const end = super.onRequest(listener);
    this.#listeners += 1;
    this.#timer ??= setInterval(() => this.#catchUp(), LISTEN_MILLISECONDS).unref();
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      end();
      this.#listeners -= 1;
      if (this.#listeners > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #catchUp(): void {
    this.#file ??= open(this.#path);
    if (this.#file === undefined) return;
    this.#read(this.#file);
    if (fstatSync(this.#file).ino === statSync(this.#path, { throwIfNoEntry: false })?.ino) return;
    // Full and put aside: what was written to it last, then the new one.
    this.#read(this.#file);
    closeSync(this.#file);
    this.#file = open(this.#path);
    if (this.#file !== undefined) this.#read(this.#file);
  }

  #read(file: number): void {
    for (;;) {
      const count = readSync(file, this.#buffer);
      if (count === 0) return;
      const lines = (this.#rest + this.#decoder.write(this.#buffer.subarray(0, count))).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = JSON.parse(line) as AuditEvent;
        if (event.stage === 'ResponseComplete') this.record(entryOf(event));
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function open(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
