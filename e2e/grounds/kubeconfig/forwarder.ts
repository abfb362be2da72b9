import { createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { KubeConfig, PortForward } from '@kubernetes/client-node';
import type { ObjectKey } from '../../../src/kube/index.ts';

/** What pods of the product listen on. */
const PORTS = [6333, 6334, 8080];
/** Addresses of loopback that nothing else uses: the rest of 127/8 is the sandbox's. */
const FIRST_ADDRESS = 1;

/** Gives each pod an address of loopback whose ports lead to the pod's, through the API server. Linux only. */
export class Forwarder {
  readonly #forward: PortForward;
  readonly #addresses = new Map<string, Promise<string>>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #next = FIRST_ADDRESS;

  constructor(kubeconfigFile: string) {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfigFile);
    this.#forward = new PortForward(config);
  }

  address(pod: ObjectKey): Promise<string> {
    const key = `${pod.namespace}/${pod.name}`;
    const known = this.#addresses.get(key) ?? this.#open(pod);
    this.#addresses.set(key, known);
    return known;
  }

  async #open(pod: ObjectKey): Promise<string> {
    const number = this.#next++;
    const address = `127.${200 + (process.pid % 50)}.${number >> 8}.${number & 255}`;
    await Promise.all(PORTS.map((port) => this.#listen(pod, address, port)));
    return address;
  }

  #listen(pod: ObjectKey, address: string, port: number): Promise<void> {
    const server = createServer((socket) => this.#connect(pod, port, socket));
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, resolve);
    });
  }

  #connect({ namespace, name }: ObjectKey, port: number, socket: Socket): void {
    this.#sockets.add(socket);
    const troubles = new PassThrough();
    const end = (): void => {
      socket.destroy();
    };
    socket.on('error', end).on('close', () => this.#sockets.delete(socket));
    // What the API server says on the error stream is that the port does not answer.
    troubles.once('data', end);
    this.#forward.portForward(namespace, name, [port], socket, troubles, socket).then((stream) => {
      if (typeof stream === 'function') return;
      socket.once('close', () => stream.close());
      stream.onclose = end;
    }, end);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }
}
