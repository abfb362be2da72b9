import { once } from 'node:events';
import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { pathToFileURL } from 'node:url';

/** Takes connections on a port of loopback and hands them on to a unix socket, which is the same in every namespace. */
export async function listenOutside(port: number, socket: string): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (client) =>
    join(client, connect({ path: socket, allowHalfOpen: true })),
  );
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function join(client: Socket, target: Socket): void {
  const end = (): void => {
    client.destroy();
    target.destroy();
  };
  client.on('error', end).on('close', end).pipe(target);
  target.on('error', end).on('close', end).pipe(client);
}

/** Started inside the namespace, with the socket to listen on and the port of loopback to go on to. */
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , socket = '', port] = process.argv;
  try {
    unlinkSync(socket);
  } catch {
    // The first time there is none.
  }
  createServer({ allowHalfOpen: true }, (client) => {
    join(client, connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true }));
  }).listen(socket);
}
