import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { Qdrant, type ScrollPoints, type UpsertPoints } from '@qdrant/js-client-grpc';
import { certificates } from './fake-server.ts';

type Service = Parameters<ConnectRouter['service']>[0];

/** What the points service answers; plain objects in the form of its messages. */
export type PointsService = {
  upsert: (request: UpsertPoints, context: HandlerContext) => object | Promise<object>;
  scroll?: (request: ScrollPoints, context: HandlerContext) => object | Promise<object>;
  get?: (request: { ids: object[] }, context: HandlerContext) => object | Promise<object>;
};

export type FakeGrpc = { readonly url: string; close: () => Promise<void> };

/** Qdrant's points service over gRPC, on loopback. */
export async function startGrpc(service: PointsService, { port = 0, tls = false } = {}): Promise<FakeGrpc> {
  const points = Qdrant.file.dependencies
    .flatMap((file) => file.services)
    .find(({ typeName }) => typeName === 'qdrant.Points');
  if (points === undefined) throw new Error('no such service');
  const adapter = connectNodeAdapter({
    routes: (router) => {
      router.service(points as Service, service as never);
    },
  });
  const server: Http2Server | Http2SecureServer = tls
    ? createSecureServer({ ...certificates.server, ca: certificates.ca, requestCert: true }, adapter)
    : createServer(adapter);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http${tls ? 's' : ''}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions) session.destroy();
        server.close(() => resolve());
      }),
  };
}
