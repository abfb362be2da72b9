import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Cluster, Context, KubeConfig, User } from '@kubernetes/client-node';
// The whole package costs 90 MB of memory, this module 5 MB.
import { newClusters, newContexts, newUsers } from '@kubernetes/client-node/dist/config_types.js';
import { load, YAMLException } from 'js-yaml';
import { type Connection, fromFiles, inClusterConnection, type TlsMaterial } from './connection.ts';
import { type FileText, fileText } from './file-text.ts';

type Entry = { readonly name?: string; readonly [field: string]: unknown };
type Kubeconfig = {
  readonly 'current-context'?: string;
  readonly clusters: readonly Entry[];
  readonly contexts: readonly Entry[];
  readonly users: readonly Entry[];
};

/**
 * $KUBECONFIG (one file or several), else the pod's own service account, else ~/.kube/config.
 * Throws an Error when there is none. Source: controller-runtime `config.GetConfig`.
 */
export function defaultConnection(environment: NodeJS.ProcessEnv = process.env): Connection {
  const named = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  if (named.length > 0) return connectionOf(named.map(readKubeconfig).reduce(merge));
  return inClusterConnection(environment) ?? connectionFromKubeconfigFile(join(homedir(), '.kube', 'config'));
}

export const connectionFromKubeconfigFile = (path: string): Connection => connectionOf(readKubeconfig(path));

export type KubeconfigOptions = {
  /** The current context of the file when not given. */
  readonly context?: string;
  /** What relative paths in the text are relative to. */
  readonly directory?: string;
};

/**
 * The connection that a kubeconfig describes. Tokens, token files, certificates and basic authentication are served here;
 * for exec plugins, auth providers and impersonation the whole of client-node is loaded at the first request.
 * Throws an Error that names what is missing.
 */
export function connectionFromKubeconfig(text: string, options: KubeconfigOptions = {}): Connection {
  return connectionOf(parseKubeconfig(text, options.directory ?? process.cwd()), options.context);
}

const readKubeconfig = (path: string): Kubeconfig => parseKubeconfig(readFileSync(path, 'utf8'), dirname(path));

function parseKubeconfig(text: string, directory: string): Kubeconfig {
  const document = parseYaml(text);
  const list = (entries: unknown, inner: string): Entry[] =>
    Array.isArray(entries) ? entries.map((entry: Entry) => withAbsolutePaths(entry, inner, directory)) : [];
  return {
    ...(isSet(document?.['current-context']) ? { 'current-context': document['current-context'] } : {}),
    clusters: list(document?.clusters, 'cluster'),
    contexts: list(document?.contexts, 'context'),
    users: list(document?.users, 'user'),
  };
}

function parseYaml(text: string): Partial<Kubeconfig> | null | undefined {
  try {
    return load(text) as Partial<Kubeconfig> | null | undefined;
  } catch (error) {
    // The message of the parser shows the lines around the fault, and they may hold a token.
    const reason = error instanceof YAMLException ? error.reason : 'unreadable';
    throw new Error(`kubeconfig: no valid YAML: ${reason}`);
  }
}

const PATHS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

function withAbsolutePaths(entry: Entry, inner: string, directory: string): Entry {
  const fields = entry[inner];
  if (typeof fields !== 'object' || fields === null) return entry;
  const absolute = Object.entries(fields).map(([name, value]: [string, unknown]) =>
    PATHS.includes(name) && typeof value === 'string' && value !== ''
      ? [name, resolve(directory, value)]
      : [name, value],
  );
  return { ...entry, [inner]: Object.fromEntries(absolute) };
}

/** The first file that says something wins. Source: Kubernetes "Merging kubeconfig files". */
const merge = (first: Kubeconfig, second: Kubeconfig): Kubeconfig => ({
  ...second,
  ...first,
  clusters: [...first.clusters, ...second.clusters],
  contexts: [...first.contexts, ...second.contexts],
  users: [...first.users, ...second.users],
});

function connectionOf(kubeconfig: Kubeconfig, contextName = kubeconfig['current-context']): Connection {
  if (!isSet(contextName)) throw new Error('kubeconfig: no current-context');
  const context = find<Context>(newContexts(kubeconfig.contexts), contextName, 'context');
  const cluster = find<Cluster>(newClusters(kubeconfig.clusters), context.cluster, 'cluster');
  const { tokenFile, users } = takeTokenFile(kubeconfig.users, context.user);
  const user = find<User>(newUsers(users), context.user, 'user');
  if (isSet(user.exec) || isSet(user.authProvider) || isSet(user.impersonateUser)) {
    return fromClientNode(cluster.server, async () => {
      const { KubeConfig } = await import('@kubernetes/client-node');
      const config = new KubeConfig();
      config.loadFromString(JSON.stringify(kubeconfig));
      config.setCurrentContext(contextName);
      return config;
    });
  }
  const token = isSet(tokenFile) ? fileText(tokenFile) : isSet(user.token) ? constant(user.token) : undefined;
  const ca = source(cluster.caData, cluster.caFile);
  const cert = source(user.certData, user.certFile);
  const key = source(user.keyData, user.keyFile);
  const files = {
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  return fromFiles(cluster.server, files, { headers: basic(user), tls: tlsOf(cluster) });
}

/** A connection over a `KubeConfig` of client-node, whose own pool is not used. */
export function connectionFromClientNode(config: KubeConfig): Connection {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new Error('kubeconfig: the current context names no cluster');
  return fromClientNode(server, () => Promise.resolve(config));
}

function fromClientNode(server: string, load: () => Promise<KubeConfig>): Connection {
  let loading: Promise<KubeConfig> | undefined;
  return {
    server,
    credentials: async () => {
      loading ??= load();
      const config = await loading;
      const cluster = config.getCurrentCluster();
      const request: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = {};
      await config.applyToHTTPSOptions(request);
      const { headers, auth, ca, cert, key, passphrase, servername, rejectUnauthorized } = request;
      return {
        headers: {
          ...Object.fromEntries(Object.entries(headers ?? {}).map(([header, value]) => [header, String(value)])),
          ...(typeof auth === 'string' ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {}),
        },
        tls: {
          ...(isSet(ca) ? { ca: String(ca) } : {}),
          ...(isSet(cert) ? { cert: String(cert) } : {}),
          ...(isSet(key) ? { key: String(key) } : {}),
          ...(isSet(passphrase) ? { passphrase } : {}),
          ...(isSet(servername) ? { serverName: servername } : {}),
          ...(rejectUnauthorized === false ? { insecure: true } : {}),
          ...(isSet(cluster?.proxyUrl) ? { proxyUrl: cluster.proxyUrl } : {}),
        },
      };
    },
  };
}

const isSet = <T>(value: T | null | undefined): value is T => value !== undefined && value !== null && value !== '';

function find<T extends { name: string }>(list: readonly T[], name: string, what: string): T {
  const found = list.find((item) => item.name === name);
  if (found === undefined) throw new Error(`kubeconfig: no ${what} named ${name}`);
  return found;
}

/** client-node reads a token file once and for ever, so the entry is taken out before it sees it. */
function takeTokenFile(users: readonly Entry[], name: string): { tokenFile: string | undefined; users: Entry[] } {
  let tokenFile: string | undefined;
  const without = users.map((entry) => {
    const user = entry['user'] as Record<string, unknown> | undefined;
    if (typeof user?.['tokenFile'] !== 'string') return entry;
    if (entry.name === name) tokenFile ??= user['tokenFile'];
    const { tokenFile: _, ...rest } = user;
    return { ...entry, user: rest };
  });
  return { tokenFile, users: without };
}

function source(data: string | undefined, file: string | undefined): FileText | undefined {
  if (isSet(data)) return constant(Buffer.from(data, 'base64').toString('utf8'));
  return isSet(file) ? fileText(file) : undefined;
}

const constant = (text: string): FileText => ({ read: () => Promise.resolve(text), forget: () => undefined });

const basic = (user: User): Record<string, string> =>
  isSet(user.username)
    ? { authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}` }
    : {};

const tlsOf = (cluster: Cluster): TlsMaterial => ({
  ...(isSet(cluster.tlsServerName) ? { serverName: cluster.tlsServerName } : {}),
  ...(cluster.skipTLSVerify === true ? { insecure: true } : {}),
  ...(isSet(cluster.proxyUrl) ? { proxyUrl: cluster.proxyUrl } : {}),
});
