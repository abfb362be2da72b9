import { connect, createServer, type Server, type Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import { EngineError, type ErrorKind } from '../base/errors.ts';

/** The engine's own protocol between peers: frames of a length and a serialised value, many calls over one connection. */
export type Handler = (body: unknown) => unknown;
export type Handlers = Readonly<Record<string, Handler>>;

type Request = { readonly id: number; readonly method: string; readonly body: unknown };
type Answer = {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { kind: ErrorKind; description: string };
};

const CONNECT_MILLISECONDS = 2000;
const HEADER = 4;

function send(socket: Socket, value: Request | Answer): void {
  const body = serialize(value);
  const head = Buffer.allocUnsafe(HEADER);
  head.writeUInt32LE(body.length);
  socket.cork();
  socket.write(head);
  socket.write(body);
  socket.uncork();
}

function receive(socket: Socket, onValue: (value: unknown) => void): void {
  let pending: Buffer[] = [];
  let size = 0;
  socket.on('data', (chunk: Buffer) => {
    pending.push(chunk);
    size += chunk.length;
    if (size < HEADER) return;
    let buffer = pending.length === 1 ? chunk : Buffer.concat(pending, size);
    // Copying a large frame again for each of its chunks would be quadratic.
    while (buffer.length >= HEADER && buffer.length >= HEADER + buffer.readUInt32LE()) {
      const length = buffer.readUInt32LE();
      onValue(deserialize(buffer.subarray(HEADER, HEADER + length)));
      buffer = buffer.subarray(HEADER + length);
    }
    pending = buffer.length > 0 ? [buffer] : [];
    size = buffer.length;
  });
}

export class PeerServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(handlers: Handlers) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      receive(socket, (value) => void answer(socket, handlers, value as Request));
    });
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve());
    });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function answer(socket: Socket, handlers: Handlers, request: Request): Promise<void> {
  try {
    const handler = handlers[request.method];
    if (!handler) throw new EngineError('Service', `unknown call ${request.method}`);
    const result = await handler(request.body);
    if (!socket.destroyed) send(socket, { id: request.id, result });
  } catch (error) {
    const known = error instanceof EngineError ? error : undefined;
    const text = error instanceof Error ? error.message : String(error);
    if (socket.destroyed) return;
    send(socket, {
      id: request.id,
      error: { kind: known?.kind ?? 'Service', description: known?.description ?? text },
    });
  }
}

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

/** One connection to one peer; made anew after it breaks. */
class Connection {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  open = true;

  constructor(uri: string) {
    const url = new URL(uri);
    this.#socket = connect({ host: url.hostname, port: Number(url.port || 80) });
    this.#socket.setNoDelay(true);
    this.#socket.setTimeout(CONNECT_MILLISECONDS, () => {
      if (this.#socket.connecting) this.#socket.destroy(new Error('connection timed out'));
    });
    receive(this.#socket, (value) => this.#settle(value as Answer));
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('connection closed')));
  }

  call(method: string, body: unknown): Promise<unknown> {
    const id = this.#next;
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      send(this.#socket, { id, method, body });
    });
  }

  #settle(answered: Answer): void {
    const waiting = this.#waiting.get(answered.id);
    this.#waiting.delete(answered.id);
    if (answered.error) waiting?.reject(new EngineError(answered.error.kind, answered.error.description));
    else waiting?.resolve(answered.result);
  }

  #fail(error: Error): void {
    this.open = false;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Calls to other peers by their p2p URI. */
export class PeerClient {
  readonly #connections = new Map<string, Connection>();

  /** @throws EngineError what the peer answered, or `Service` when there was no answer in time */
  async call(uri: string, method: string, options: { body: unknown; timeoutMs: number }): Promise<unknown> {
    const connection = this.#connection(uri);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${options.timeoutMs} ms`)), options.timeoutMs);
    });
    try {
      return await Promise.race([connection.call(method, options.body), late]);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      const text = error instanceof Error ? error.message : String(error);
      throw new EngineError('Service', `Failed to connect to ${uri}, error: ${text}`);
    } finally {
      clearTimeout(timer);
    }
  }

  #connection(uri: string): Connection {
    const present = this.#connections.get(uri);
    if (present?.open) return present;
    const fresh = new Connection(uri);
    this.#connections.set(uri, fresh);
    return fresh;
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }
}
