import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Where the DNS server of every sandbox listens in its own network; binding it is also what reserves the network. */
const DNS_HOST = '0.10';
const DNS_PORT = 10_053;
/** 127.0 and 127.1 have users of their own; 127.255 ends in a broadcast address. */
const FIRST = 2;
const LAST = 254;

type Range = { readonly first: number; readonly last: number };
/** The third and fourth number of an address as one: pods below 127.x.128.0, services above. */
const PODS: Range = { first: 0x01_01, last: 0x7f_fe };
const SERVICES: Range = { first: 0x80_01, last: 0xff_fe };

/** The addresses 127.x.0.0/16 of one sandbox. */
export type Network = {
  /** `127.x` */
  readonly prefix: string;
  /** The node's own address. */
  readonly nodeAddress: string;
  /** `address:port` of the DNS server. */
  readonly dnsServer: string;
  /** Bound to `dnsServer`. */
  readonly dnsSocket: Socket;
  readonly pods: AddressPool;
  readonly services: AddressPool;
  /** All addresses of services, as CIDR. */
  readonly serviceRange: string;
  owns(address: string): boolean;
  close(): Promise<void>;
};

/** Addresses that are free now. One given back is the last to be given again, as old connections may remember it. */
export class AddressPool {
  readonly #prefix: string;
  readonly #range: Range;
  readonly #used = new Set<number>();
  #next: number;

  constructor(prefix: string, range: Range) {
    this.#prefix = prefix;
    this.#range = range;
    this.#next = range.first;
  }

  /** Throws a RangeError when every address is used. */
  allocate(): string {
    const { first, last } = this.#range;
    for (let tried = 0; tried <= last - first; tried += 1) {
      const candidate = this.#next;
      this.#next = candidate === last ? first : candidate + 1;
      const host = candidate & 0xff;
      if (host === 0 || host === 0xff || this.#used.has(candidate)) continue;
      this.#used.add(candidate);
      return `${this.#prefix}.${candidate >> 8}.${host}`;
    }
    throw new RangeError(`no address of ${this.#prefix}.0.0/16 is left`);
  }

  release(address: string): void {
    const [, , third = 0, fourth = 0] = address.split('.').map(Number);
    this.#used.delete(third * 256 + fourth);
  }
}

async function reserve(address: string): Promise<Socket | undefined> {
  const socket = createSocket({ type: 'udp4', reuseAddr: false });
  try {
    socket.bind({ address, port: DNS_PORT, exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

/** What pods of Qdrant listen on. */
const POD_PORTS = [6333, 6334, 6335];

/** Throws when a program listens on the port at all addresses of the machine: then no pod could. */
async function assertFree(port: number, address: string): Promise<void> {
  const server = createServer();
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(`port ${port} is taken on every address of this machine; pods need it on ${address}`, {
      cause: error,
    });
  } finally {
    server.close();
  }
}

/**
 * Reserves a 127.x.0.0/16 that no other sandbox of this machine uses.
 * Throws when all are taken, or when one of `ports` is taken on all addresses.
 */
export async function createNetwork({
  ports = POD_PORTS,
}: {
  readonly ports?: readonly number[];
} = {}): Promise<Network> {
  const count = LAST - FIRST + 1;
  const start = process.pid % count;
  for (let tried = 0; tried < count; tried += 1) {
    const prefix = `127.${FIRST + ((start + tried) % count)}`;
    const dnsSocket = await reserve(`${prefix}.${DNS_HOST}`);
    if (dnsSocket === undefined) continue;
    try {
      for (const port of ports) await assertFree(port, `${prefix}.0.1`);
    } catch (error) {
      dnsSocket.close();
      throw error;
    }
    return networkOf(prefix, dnsSocket);
  }
  throw new Error('no loopback network is left: every 127.x.0.10 is taken');
}

function networkOf(prefix: string, dnsSocket: Socket): Network {
  return {
    prefix,
    nodeAddress: `${prefix}.0.1`,
    dnsServer: `${prefix}.${DNS_HOST}:${DNS_PORT}`,
    dnsSocket,
    pods: new AddressPool(prefix, PODS),
    services: new AddressPool(prefix, SERVICES),
    serviceRange: `${prefix}.128.0/17`,
    owns: (address) => address.startsWith(`${prefix}.`),
    close: () => new Promise((resolve) => dnsSocket.close(() => resolve())),
  };
}
