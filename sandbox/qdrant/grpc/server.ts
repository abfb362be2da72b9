import { createServer } from 'node:http2';
import type { Engine } from '../engine.ts';

export type GrpcServer = { close(): void };

/** Listens on the gRPC port; what speaks the protocol is loaded with the first call. */
export async function startGrpc(engine: Engine): Promise<GrpcServer | undefined> {
  const { grpcPort, host } = engine.settings;
  if (grpcPort === undefined) return undefined;
  let handler: Promise<import('./services.ts').Handler> | undefined;
  const server = createServer((request, response) => {
    handler ??= import('./services.ts').then(({ grpcHandler }) => grpcHandler(engine));
    handler.then((handle) => handle(request, response)).catch(() => response.stream.close());
  });
  const sessions = new Set<import('node:http2').ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => session.destroy());
    session.on('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(grpcPort, host, () => resolve());
  });
  return {
    close: () => {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}
