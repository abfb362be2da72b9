import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** A port of the address on which nobody listens now. */
export async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
