import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

export type Received = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
};
export type Handler = (request: Received, response: ServerResponse) => unknown;

export type FakeServer = {
  readonly url: string;
  /** All requests in the order they came. */
  readonly received: Received[];
  /** How many connections were opened so far. */
  connections: () => number;
  /** Answers the next requests, one each; then the standing handler again. */
  next: (...handlers: Handler[]) => void;
  /** Answers all requests from now on. */
  always: (handler: Handler) => void;
  close: () => Promise<void>;
};

const fixture = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url)), 'utf8');
export const certificates = {
  ca: fixture('ca.crt'),
  server: { cert: fixture('server.crt'), key: fixture('server.key') },
  client: { cert: fixture('client.crt'), key: fixture('client.key') },
};

/** A server on loopback that answers as it is told and remembers what it was asked. */
export async function startFake(options: { tls?: 'server' | 'mutual' } = {}): Promise<FakeServer> {
  const received: Received[] = [];
  const queue: Handler[] = [];
  let standing: Handler = (_request, response) => reply(response, true);
  let connections = 0;
  const listener = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const url = new URL(request.url ?? '/', 'http://fake');
    const entry: Received = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      text: Buffer.concat(chunks).toString(),
    };
    received.push(entry);
    await (queue.shift() ?? standing)(entry, response);
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    listener(request, response).catch(() => response.destroy());
  };
  const { server: pair, ca } = certificates;
  const server: Server =
    options.tls === undefined
      ? createServer(onRequest)
      : createTlsServer(
          { ...pair, ca, requestCert: options.tls === 'mutual', rejectUnauthorized: options.tls === 'mutual' },
          onRequest,
        );
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    received,
    connections: () => connections,
    next: (...handlers) => {
      queue.push(...handlers);
    },
    always: (handler) => {
      standing = handler;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Qdrant's envelope around a result. */
export function reply(response: ServerResponse, result: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ result, status: 'ok', time: 0.001 }));
}

export const result =
  (value: unknown): Handler =>
  (_request, response) =>
    reply(response, value);

export const fails =
  (status: number, body: string, headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, headers);
    response.end(body);
  };

/** Qdrant's JSON error. */
export const refuses = (status: number, error: string, headers: Record<string, string> = {}): Handler =>
  fails(status, JSON.stringify({ status: { error }, time: 0 }), { 'content-type': 'application/json', ...headers });

export const hangs: Handler = () => {};
/** Closes the connection without a word. */
export const cuts: Handler = (_request, response) => {
  response.socket?.destroy();
};
/** Answers 200, sends half of the body, and closes. */
export const cutsInBody: Handler = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"result":{"points":[{"id":1');
  setTimeout(() => response.socket?.destroy(), 5);
};
