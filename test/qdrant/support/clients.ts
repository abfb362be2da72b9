import type { TestContext } from 'node:test';
import {
  type ClientOptions,
  ClusterClient,
  type Connection,
  PeerClient,
  QdrantError,
} from '../../../src/qdrant/index.ts';
import { type FakeServer, startFake } from './fake-server.ts';

/** Repeats without a noticeable wait. */
export const quick: ClientOptions = { retry: { baseMilliseconds: 1, capMilliseconds: 2 } };

/** A server and a client of it, both gone after the test. */
export async function peerAndServer(
  t: TestContext,
  options: ClientOptions & { apiKey?: string } = {},
): Promise<{ server: FakeServer; peer: PeerClient }> {
  const server = await startFake();
  const peer = new PeerClient({ ...quick, ...options, address: { name: 'docs-0', rest: server.url } });
  t.after(async () => {
    await server.close();
    await peer.close();
  });
  return { server, peer };
}

/** Several servers as the peers `docs-0`, `docs-1`, ... of one cluster. */
export async function clusterAndServers(
  t: TestContext,
  count: number,
  options: ClientOptions & Partial<Connection> = {},
): Promise<{ servers: FakeServer[]; cluster: ClusterClient }> {
  const servers = await Promise.all(Array.from({ length: count }, () => startFake()));
  const { apiKey, ...rest } = options;
  const peers = servers.map(({ url }, index) => ({ name: `docs-${index}`, rest: url }));
  const cluster = new ClusterClient({ peers, ...(apiKey === undefined ? {} : { apiKey }) }, { ...quick, ...rest });
  t.after(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await cluster.close();
  });
  return { servers, cluster };
}

/** The QdrantError that a promise ends in. */
export async function failure(promise: Promise<unknown>): Promise<QdrantError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof QdrantError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
