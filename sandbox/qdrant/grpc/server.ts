import type { Engine } from '../engine.ts';

export type GrpcServer = { close(): void };

export async function startGrpc(_engine: Engine): Promise<GrpcServer | undefined> {
  return undefined;
}
