import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Backend } from './service-backends.ts';

/**
 * Takes the connections to one port of a service and hands each to one of its backends, in turn.
 * With no backend nobody listens: clients are refused, as they are in a cluster.
 */
export class PortProxy {
  readonly #address: string;
  readonly #port: number;
  readonly #open = new Map<Socket, Backend>();
  #backends: readonly Backend[] = [];
  #turn = 0;
  #server: Server | undefined;
  #changing: Promise<void> = Promise.resolve();

  constructor(address: string, port: number) {
    this.#address = address;
    this.#port = port;
  }

  /**
   * Takes new connections to these backends from now on; connections to pods that are `gone` end.
   * A pod that is only not ready keeps its connections, as it does in a cluster.
   */
  update(backends: readonly Backend[], gone: (backend: Backend) => boolean): Promise<void> {
    this.#backends = backends;
    for (const [socket, backend] of this.#open) if (gone(backend)) socket.destroy();
    // A port that could not be taken is tried again at the next change.
    this.#changing = this.#changing.catch(() => undefined).then(() => this.#listenAsNeeded());
    return this.#changing;
  }

  async #listenAsNeeded(): Promise<void> {
    if (this.#backends.length === 0) {
      const server = this.#server;
      this.#server = undefined;
      server?.close();
      return;
    }
    if (this.#server !== undefined) return;
    const server = createServer({ pauseOnConnect: true }, (client) => this.#forward(client));
    server.listen(this.#port, this.#address);
    await once(server, 'listening');
    this.#server = server;
  }

  #forward(client: Socket): void {
    const backend = this.#backends[this.#turn % Math.max(this.#backends.length, 1)];
    this.#turn += 1;
    if (backend === undefined) {
      client.destroy();
      return;
    }
    const upstream = connect({ host: backend.address, port: backend.port });
    this.#open.set(client, backend);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    // A reset of one side must reach the other as one.
    client.on('error', () => upstream.destroy());
    // One that is being shut down can't be reset: libuv refuses, and Node then neither closes it nor ever ends.
    upstream.on('error', () => (client.writableEnded ? client.destroy() : client.resetAndDestroy()));
    client.on('close', () => {
      this.#open.delete(client);
      upstream.destroy();
    });
    upstream.on('close', () => client.destroySoon());
    client.pipe(upstream);
    upstream.pipe(client);
  }

  async close(): Promise<void> {
    await this.update([], () => true);
    for (const socket of this.#open.keys()) socket.destroy();
  }
}
