import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { KubeClient, type KubeClientOptions, staticConnection } from '../../src/kube/index.ts';

export type ScriptedRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
};

export type Script = (request: ScriptedRequest, response: ServerResponse) => void;

/** An HTTP server on a free port that answers as `script` says and remembers what it was asked. */
export type ScriptedServer = {
  readonly url: string;
  readonly requests: readonly ScriptedRequest[];
  readonly openSockets: () => Promise<number>;
  client(options?: Partial<KubeClientOptions>): KubeClient;
  cutConnections(): void;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function scriptedServer(script: Script): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  const server = createServer((incoming, response) => {
    void answer(incoming, response).catch(() => response.destroy());
  });
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(incoming.url ?? '/', 'http://server');
    const request = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: incoming.headers,
      body: await text(incoming),
    };
    requests.push(request);
    script(request, response);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients: KubeClient[] = [];
  return {
    url,
    requests,
    openSockets: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    client: (options = {}) => {
      const client = new KubeClient({ config: staticConnection({ server: url }), clock: hastyClock, ...options });
      clients.push(client);
      return client;
    },
    cutConnections: () => server.closeAllConnections(),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.close()));
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Runs a hundred times as fast, so that backoff does not slow the tests down. */
export const hastyClock = {
  now: () => performance.now() * 100,
  date: () => new Date(),
  sleep: (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds / 100);
      const abort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      if (signal?.aborted === true) abort();
      signal?.addEventListener('abort', abort, { once: true });
    }),
  after: (milliseconds: number, callback: () => void): (() => void) => {
    const timer = setTimeout(callback, milliseconds / 100);
    return () => clearTimeout(timer);
  },
};

export function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export const failure = (code: number, reason: string, rest: Record<string, unknown> = {}) => ({
  apiVersion: 'v1',
  kind: 'Status',
  status: 'Failure',
  code,
  reason,
  ...rest,
});

/** Waits until `condition` holds; fails after two seconds, naming `what`. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 2000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
