import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as ask, createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { requestInfo } from '../../../sandbox/kube/access/request-info.ts';
import type { User } from '../../../sandbox/kube/access/user.ts';
import type { Certificate } from '../../../sandbox/kube/certificate.ts';
import { CutConnection, type Faults, type StruckWatch } from '../../../sandbox/kube/faults.ts';
import { answerError } from '../../../sandbox/kube/http/body.ts';
import { statusObject } from '../../../sandbox/kube/status.ts';

export type FaultProxyOptions = {
  readonly address: string;
  readonly certificate: Certificate;
  /** The API server. */
  readonly upstream: { readonly url: string; readonly caPem: string };
  readonly faults: Faults;
};

export type FaultProxy = { readonly url: string; close(): Promise<void> };

/**
 * Stands between pods and a real API server and plays faults on the way; what no fault hits goes through as it is,
 * as the user who sent it.
 */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { address, certificate, upstream, faults } = options;
  const agent = new Agent({ ca: upstream.caPem, keepAlive: true });
  const server = createServer({
    cert: certificate.certPem,
    key: certificate.keyPem,
    // Longer than any client keeps an idle connection: else a request may meet a closing one.
    keepAliveTimeout: 120_000,
    requestTimeout: 0,
  });
  server.on('request', (request, response) => {
    pass({ ...options, agent }, request, response).catch(() => response.destroy());
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (faults.isRefusing) socket.destroy();
  });
  const cutConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  faults.connect(cutConnections);
  server.listen(0, address);
  await once(server, 'listening');
  return {
    url: `https://${address}:${(server.address() as AddressInfo).port}`,
    async close() {
      faults.clear();
      server.close();
      cutConnections();
      await once(server, 'close');
      agent.destroy();
    },
  };
}

type Way = FaultProxyOptions & { readonly agent: Agent };

async function pass(way: Way, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const info = requestInfo(request.method ?? 'GET', new URL(request.url ?? '/', way.upstream.url));
  try {
    await way.faults.strike(info, userOf(request));
  } catch (error) {
    if (error instanceof CutConnection) response.destroy();
    else answerError(response, error);
    return;
  }
  const answer = await forward(way, request, response);
  response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
  response.flushHeaders();
  answer.pipe(response);
  answer.once('close', () => {
    if (!answer.complete && !response.writableEnded) response.destroy();
  });
  if (info.verb !== 'watch') return;
  const watch: StruckWatch = {
    call: { resource: { plural: info.plural } },
    end(error) {
      answer.unpipe(response);
      if (error === undefined) response.destroy();
      else response.end(`${JSON.stringify({ type: 'ERROR', object: statusObject(error) })}\n`);
    },
  };
  way.faults.addWatch(watch);
  response.once('close', () => way.faults.removeWatch(watch));
}

function forward({ upstream, agent }: Way, request: IncomingMessage, response: ServerResponse) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const { method = 'GET', headers } = request;
    const call = ask(new URL(request.url ?? '/', upstream.url), { method, headers, agent }, resolve);
    call.on('error', reject);
    response.once('close', () => call.destroy());
    pipeline(request, call).catch(reject);
  });
}

/** Whom the token names; whether that is true is up to the API server. Source: RFC 7519. */
function userOf({ headers }: IncomingMessage): User {
  const [, claims = ''] = /^Bearer [^.]+\.([^.]+)\./.exec(headers.authorization ?? '') ?? [];
  try {
    const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { readonly sub?: string };
    return { name: sub ?? '', groups: [] };
  } catch {
    return { name: '', groups: [] };
  }
}
