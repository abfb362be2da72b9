import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { LogQuery } from './read-log.ts';

/** What a real API server asks of a kubelet for `kubectl logs`. PEM texts. */
export type LogEndpointOptions = {
  readonly certPem: string;
  readonly keyPem: string;
  /** SHA-256 of the one client certificate that is let in, as `AA:BB:...`: the API server's. */
  readonly clientFingerprint: string;
};

export type LogSource = { readonly namespace: string; readonly pod: string; readonly container: string };
export type LogReader = (
  source: LogSource,
  query: LogQuery & { readonly previous: boolean },
) => Readable | undefined | Promise<Readable | undefined>;

export type LogEndpoint = { readonly port: number; close(): Promise<void> };

/** Answers `GET /containerLogs/<namespace>/<pod>/<container>` over HTTPS on a free port. Source: kubelet `server.go`. */
export async function serveLogs(
  address: string,
  { certPem, keyPem, clientFingerprint }: LogEndpointOptions,
  read: LogReader,
): Promise<LogEndpoint> {
  // The certificate is its own CA and says nothing of clients: it is compared instead of verified.
  const tls = { cert: certPem, key: keyPem, requestCert: true, rejectUnauthorized: false };
  const server = createServer(tls, (request, response) => {
    const { fingerprint256 } = (request.socket as TLSSocket).getPeerCertificate();
    const work = fingerprint256 === clientFingerprint ? answer(request, response, read) : refuse(response, 401);
    work.catch(() => response.destroy());
  });
  server.listen(0, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function refuse(response: ServerResponse, status: number, message = ''): Promise<void> {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(message);
}

async function answer(request: IncomingMessage, response: ServerResponse, read: LogReader): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://node');
  const [, root, ...parts] = url.pathname.split('/').map(decodeURIComponent);
  const [namespace, pod, container] = parts;
  if (root !== 'containerLogs' || namespace === undefined || pod === undefined || container === undefined) {
    return refuse(response, 404, `this node answers no ${url.pathname}`);
  }
  const reading = new AbortController();
  response.once('close', () => reading.abort());
  const log = await read({ namespace, pod, container }, { ...logQuery(url.searchParams), signal: reading.signal });
  if (log === undefined) return refuse(response, 400, `container "${container}" in pod "${pod}" has no such log`);
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  await pipeline(log, response);
}

function logQuery(query: URLSearchParams): Omit<LogQuery, 'signal'> & { readonly previous: boolean } {
  const number = (name: string): number | undefined => {
    const value = query.get(name);
    return value === null ? undefined : Number(value);
  };
  const [tailLines, sinceSeconds, limitBytes] = ['tailLines', 'sinceSeconds', 'limitBytes'].map(number);
  return {
    follow: query.get('follow') === 'true',
    previous: query.get('previous') === 'true',
    timestamps: query.get('timestamps') === 'true',
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}
