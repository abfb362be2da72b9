import type { FileText } from './file-text.ts';
import { fileText } from './file-text.ts';

/** What a TLS pool is made of; a change of any of it makes a new pool. PEM texts. */
export type TlsMaterial = {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly serverName?: string;
  /** True: the server's certificate is not checked. */
  readonly insecure?: boolean;
  readonly proxyUrl?: string;
};

export type Credentials = { readonly headers: Readonly<Record<string, string>>; readonly tls: TlsMaterial };

/** Where a server is, and how to prove who asks. */
export type Connection = {
  /** `https://host:port`, perhaps with a path. */
  readonly server: string;
  /** Asked before every request; so it answers from memory most of the time. */
  credentials(): Promise<Credentials>;
  /** The server refused the last credentials: read them anew next time. */
  forget?(): void;
};

/** A connection whose credentials never change. */
export function staticConnection(options: {
  readonly server: string;
  readonly token?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}): Connection {
  const { server, token, ...tls } = options;
  const credentials: Credentials = { headers: bearer(token), tls };
  return { server, credentials: () => Promise.resolve(credentials) };
}

export const SERVICE_ACCOUNT_DIRECTORY = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The connection of a pod: service-account token and CA, read again once a minute because the kubelet rotates them.
 * Undefined outside a pod.
 */
export function inClusterConnection(
  environment: NodeJS.ProcessEnv = process.env,
  directory = SERVICE_ACCOUNT_DIRECTORY,
): Connection | undefined {
  const host = environment['KUBERNETES_SERVICE_HOST'];
  const port = environment['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || port === undefined) return undefined;
  const token = fileText(`${directory}/token`);
  const ca = fileText(`${directory}/ca.crt`);
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return fromFiles(server, { token, ca }, {});
}

/** A connection whose parts stand in files that others may rewrite. */
export function fromFiles(
  server: string,
  files: { readonly token?: FileText; readonly ca?: FileText; readonly cert?: FileText; readonly key?: FileText },
  rest: { readonly headers?: Readonly<Record<string, string>>; readonly tls?: TlsMaterial },
): Connection {
  const read = async (file: FileText | undefined): Promise<string | undefined> => file?.read();
  return {
    server,
    credentials: async () => {
      const [token, ca, cert, key] = await Promise.all([
        read(files.token),
        read(files.ca),
        read(files.cert),
        read(files.key),
      ]);
      return {
        headers: { ...rest.headers, ...bearer(token?.trim()) },
        tls: {
          ...rest.tls,
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
        },
      };
    },
    forget: () => {
      for (const file of Object.values(files)) file.forget();
    },
  };
}

const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` };
