import { inspect } from 'node:util';
import type { Call } from './call.ts';
import { QdrantError } from './errors.ts';
import { Executor } from './executor.ts';
import { Link } from './link.ts';
import type { PeerTransport } from './peer-transport.ts';
import { PointOperations } from './point-operations.ts';
import type { CallOptions, ClientOptions, Connection, PeerAddress, Timeouts, TlsOptions } from './types.ts';

export type PeerClientOptions = ClientOptions & {
  readonly address: PeerAddress;
  readonly apiKey?: string;
  readonly tls?: TlsOptions;
};

abstract class Client extends PointOperations {
  readonly #executor: Executor;
  protected readonly bulkByGrpc: boolean;

  constructor(transports: readonly PeerTransport[], options: ClientOptions) {
    super();
    this.#executor = new Executor(transports, options);
    this.bulkByGrpc = transports.length > 0 && transports.every((transport) => transport.hasGrpc);
  }

  protected get timeouts(): Timeouts {
    return this.#executor.timeouts;
  }

  protected run<T>(call: Call<T>, options?: CallOptions): Promise<T> {
    return this.#executor.run(call, options);
  }
}

/** One peer. Close it when done. */
export class PeerClient extends Client {
  readonly address: PeerAddress;
  readonly #close: () => Promise<void>;

  constructor(options: PeerClientOptions & { readonly link?: Link }) {
    const { address, link = new Link(options, options.timeouts?.connect) } = options;
    const transport = link.transport(address);
    super([transport], options);
    this.address = address;
    this.#close = () => link.close();
  }

  get name(): string {
    return this.address.name;
  }

  close(): Promise<void> {
    return this.#close();
  }

  [inspect.custom](): string {
    return `PeerClient(${this.address.name})`;
  }
}

/** All peers of one cluster: asks another peer where a repeat is safe. Close it when done. */
export class ClusterClient extends Client {
  readonly peers: readonly PeerClient[];
  readonly #link: Link;

  constructor(connection: Connection, options: ClientOptions = {}) {
    const link = new Link(connection, options.timeouts?.connect);
    super(
      connection.peers.map((address) => link.transport(address)),
      options,
    );
    this.#link = link;
    this.peers = connection.peers.map((address) => new PeerClient({ ...options, address, link }));
  }

  /** @throws QdrantError `NotFound` for a name that the connection doesn't have */
  peer(name: string): PeerClient {
    const found = this.peers.find((peer) => peer.name === name);
    if (found !== undefined) return found;
    throw new QdrantError({ code: 'NotFound', operation: 'connect', peer: name, message: 'no peer of that name' });
  }

  /** Waits for what runs, then closes every connection, those of `peers` included. */
  close(): Promise<void> {
    return this.#link.close();
  }

  [inspect.custom](): string {
    return `ClusterClient(${this.peers.map(({ name }) => name).join(', ')})`;
  }
}
