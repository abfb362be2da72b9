import { once } from 'node:events';
import { rename, stat, truncate } from 'node:fs/promises';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { StoreFault } from '../ground.ts';

export type StoreFaultsOptions = {
  readonly address: string;
  /** `host:port` of the S3 server. */
  readonly upstream: string;
  /** Where the server keeps the one bucket, an object a file. */
  readonly bucketFolder: string;
  /** Where the bucket lies while it is gone: on the same disk, and not among the server's. */
  readonly away: string;
};

export type StoreFaults = {
  readonly url: string;
  readonly strike: (fault: StoreFault | undefined) => Promise<void>;
  readonly close: () => Promise<void>;
};

const DENIED =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>denied</Message></Error>';

/**
 * Stands before a real S3 server. What no fault hits goes through as it is, so that signatures hold; a bucket that is
 * gone and objects of half their size are so on the server's disk, and it is the server that tells of them.
 */
export async function startStoreFaults(options: StoreFaultsOptions): Promise<StoreFaults> {
  const { address, upstream, bucketFolder, away } = options;
  const agent = new Agent({ keepAlive: true });
  let fault: StoreFault | undefined;
  const server = createServer((asked, response) => {
    if (fault === 'cut') asked.socket.destroy();
    else if (fault === 'deny') deny(asked, response);
    else pass(asked, response).catch(() => response.destroy());
  });

  async function pass(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const [host = '', port = ''] = upstream.split(':');
    // Answered here already, and no part of the signature.
    const { expect: _expect, ...headers } = asked.headers;
    const passed = request({ agent, host, port, method: asked.method, path: asked.url, headers });
    const answering = once(passed, 'response') as Promise<[IncomingMessage]>;
    await Promise.all([pipeline(asked, passed), answering]);
    const [answer] = await answering;
    if (fault === 'truncate' && answer.statusCode === 200) await halve(asked);
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    await pipeline(answer, response);
  }

  /** What was written whole, by one request or by the last of several. */
  async function halve({ method, url = '' }: IncomingMessage): Promise<void> {
    const { pathname, searchParams } = new URL(url, 'http://store');
    const isWhole =
      method === 'PUT' ? !searchParams.has('partNumber') : method === 'POST' && searchParams.has('uploadId');
    if (!isWhole) return;
    const file = join(bucketFolder, ...pathname.split('/').slice(2).map(decodeURIComponent));
    await truncate(file, Math.floor((await stat(file)).size / 2));
  }

  server.listen(0, address);
  await once(server, 'listening');
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    async strike(next) {
      if (next === 'gone' && fault !== 'gone') await rename(bucketFolder, away);
      if (next !== 'gone' && fault === 'gone') await rename(away, bucketFolder);
      fault = next;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      agent.destroy();
    },
  };
}

function deny(asked: IncomingMessage, response: ServerResponse): void {
  // Who is still sending would take the end of the connection for the answer.
  asked.resume();
  response.writeHead(403, { 'content-type': 'application/xml' }).end(asked.method === 'HEAD' ? undefined : DENIED);
}
