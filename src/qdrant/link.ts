import { Agent } from 'undici';
import { DEFAULT_TIMEOUTS } from './call.ts';
import { QdrantError } from './errors.ts';
import { GrpcPoints } from './grpc.ts';
import { CONNECTION_LIFE, KEEP_ALIVE } from './keep-alive.ts';
import { PeerTransport } from './peer-transport.ts';
import type { PeerAddress, TlsOptions } from './types.ts';

const CONNECTIONS_PER_PEER = 16;

/** The sockets of one connection, shared by its clients. */
export class Link {
  readonly #agent: Agent;
  readonly #apiKey: string | undefined;
  readonly #tls: TlsOptions | undefined;
  readonly #connectTimeout: number;
  readonly #transports = new Map<string, PeerTransport>();
  #closed: Promise<void> | undefined;

  constructor(
    { apiKey, tls }: { readonly apiKey?: string; readonly tls?: TlsOptions },
    connectTimeout: number = DEFAULT_TIMEOUTS.connect,
  ) {
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
      const message =
        apiKey === ''
          ? 'the API key is empty'
          : 'the API key holds a space, a line break or a character that no header carries';
      throw new QdrantError({ code: 'BadRequest', operation: 'connect', peer: 'client', message });
    }
    this.#apiKey = apiKey;
    this.#tls = tls;
    this.#connectTimeout = connectTimeout;
    this.#agent = new Agent({
      connections: CONNECTIONS_PER_PEER,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE,
      keepAliveMaxTimeout: KEEP_ALIVE,
      clientTtl: CONNECTION_LIFE,
      connect: {
        timeout: connectTimeout,
        ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
        ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
        ...(tls?.key === undefined ? {} : { key: tls.key }),
        ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
      },
    });
  }

  transport(address: PeerAddress): PeerTransport {
    const known = this.#transports.get(address.name);
    if (known !== undefined) return known;
    const apiKey = this.#apiKey;
    const grpc =
      address.grpc === undefined
        ? undefined
        : new GrpcPoints({ address, apiKey, tls: this.#tls, connectTimeout: this.#connectTimeout });
    const transport = new PeerTransport({ address, agent: this.#agent, apiKey, grpc });
    this.#transports.set(address.name, transport);
    return transport;
  }

  /** Waits for what runs. */
  close(): Promise<void> {
    const transports = [...this.#transports.values()];
    this.#closed ??= Promise.all([this.#agent.close(), ...transports.map((transport) => transport.closeGrpc())]).then(
      () => undefined,
    );
    return this.#closed;
  }
}
