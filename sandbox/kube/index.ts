import { createServer as createPlainServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { groupsOf } from './access/user.ts';
import { Audit } from './audit.ts';
import { bootstrap } from './bootstrap.ts';
import { type Certificate, selfSigned } from './certificate.ts';
import { followDefinitions } from './definitions.ts';
import { Faults } from './faults.ts';
import { requestHandler } from './http/server.ts';
import { kubeconfig } from './kubeconfig.ts';
import type { ApiObject } from './objects.ts';
import { type Hooks, newState } from './state.ts';

export { Audit, type AuditEntry, type AuditFilter } from './audit.ts';
export { type Effect, Faults, type Target } from './faults.ts';
export type { ApiObject } from './objects.ts';
export type { Hooks, PodLogOptions, PodLogSource } from './state.ts';

export type ApiServerOptions = Hooks & {
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Port; default a free one. */
  readonly port?: number;
  /** HTTPS with a self-signed certificate; default true, since kubectl sends no token over plain HTTP. */
  readonly tls?: boolean;
  /** Further names and IPv4 addresses for the certificate. */
  readonly names?: readonly string[];
  /** Milliseconds between bookmarks; default 5000. */
  readonly bookmarkMilliseconds?: number;
  /** How many past changes watches can resume from; default 10 000. */
  readonly historyLimit?: number;
  readonly now?: () => number;
  readonly random?: () => number;
};

export type ApiServer = {
  readonly url: string;
  /** The CA of the server; '' without TLS. */
  readonly caPem: string;
  /** A kubeconfig file for a user, e.g. `system:admin` or `system:serviceaccount:ns:name`. */
  kubeconfig(user: string, namespace?: string): string;
  /** A bearer token without end. */
  tokenFor(user: string, groups?: readonly string[]): string;
  readonly faults: Faults;
  readonly audit: Audit;
  /** Hooks may be set or changed while the server runs. */
  readonly hooks: Hooks;
  /** The revision of the last change. */
  readonly revision: number;
  /** Forgets past changes: old watches and continue tokens get 410. */
  compact(): void;
  /** All stored objects, by storage type (`group/plural`). */
  snapshot(): { [type: string]: readonly ApiObject[] };
  stop(): Promise<void>;
};

const BOOKMARK_MILLISECONDS = 5000;
const HISTORY_LIMIT = 10_000;

/**
 * Starts an in-process Kubernetes API server with its objects in memory.
 *
 * It models what the product uses of Kubernetes 1.36; the rest answers 501.
 */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const { host = '127.0.0.1', port = 0, tls = true, now = Date.now } = options;
  const hooks: Hooks = hooksOf(options);
  const state = newState({
    hooks,
    now,
    historyLimit: options.historyLimit ?? HISTORY_LIMIT,
    bookmarkMilliseconds: options.bookmarkMilliseconds ?? BOOKMARK_MILLISECONDS,
  });
  followDefinitions(state);
  bootstrap(state);
  const compact = (): void => state.store.compact();
  const faults = new Faults({ compact, ...(options.random === undefined ? {} : { random: options.random }) });
  const audit = new Audit();
  const certificate = tls
    ? selfSigned([host, 'localhost', 'kubernetes.default.svc', ...(options.names ?? [])], now())
    : undefined;
  const { server, sockets } = newServer(requestHandler({ state, faults, audit }), certificate);
  const cutConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  faults.connect(cutConnections);
  server.on('connection', (socket: Socket) => {
    if (faults.isRefusing) socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : port;
  const url = `${tls ? 'https' : 'http'}://${host}:${boundPort}`;
  const caPem = certificate?.certPem ?? '';
  const tokenFor = (user: string, groups: readonly string[] = groupsOf(user)): string =>
    state.tokens.mint({ user, groups });
  return {
    url,
    caPem,
    tokenFor,
    kubeconfig: (user, namespace) =>
      kubeconfig({ url, caPem, user, token: tokenFor(user), ...(namespace === undefined ? {} : { namespace }) }),
    faults,
    audit,
    hooks,
    get revision() {
      return state.store.revision;
    },
    compact,
    snapshot: () => Object.fromEntries(state.store.types.map((type) => [type, state.store.list(type)])),
    stop: async () => {
      faults.clear();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      cutConnections();
      await closed;
    },
  };
}

function hooksOf({ podLogs, allocateClusterIP, releaseClusterIP }: Hooks): Hooks {
  return {
    ...(podLogs === undefined ? {} : { podLogs }),
    ...(allocateClusterIP === undefined ? {} : { allocateClusterIP }),
    ...(releaseClusterIP === undefined ? {} : { releaseClusterIP }),
  };
}

type Handler = ReturnType<typeof requestHandler>;

function newServer(handler: Handler, certificate: Certificate | undefined): { server: Server; sockets: Set<Socket> } {
  const listener: Parameters<typeof createPlainServer>[1] = (request, response) => {
    handler(request, response).catch(() => response.destroy());
  };
  // Longer than any client keeps an idle connection: else a request may meet a closing one.
  const timeouts = { keepAliveTimeout: 120_000, requestTimeout: 0 };
  const server =
    certificate === undefined
      ? createPlainServer(timeouts, listener)
      : createTlsServer({ ...timeouts, cert: certificate.certPem, key: certificate.keyPem }, listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
  });
  return { server, sockets };
}
