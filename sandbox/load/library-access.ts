import { type KubeClient, SECRETS } from '../../src/kube/index.ts';
import { ClusterClient } from '../../src/qdrant/index.ts';

/** What an application gets from a library's binding Secret. */
export type LibraryAccess = { readonly client: ClusterClient; readonly collection: string };

export type BindingKey = { readonly namespace: string; readonly library: string };

/**
 * Connects to a library through the gateway: with its address and the key of the binding Secret.
 * Close the client when done.
 */
export async function gatewayAccess(
  admin: KubeClient,
  { namespace, library }: BindingKey,
  url: string,
): Promise<LibraryAccess> {
  const { data = {} } = await admin.get(SECRETS, { namespace, name: `${library}-binding` });
  const read = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
  const peers = [{ name: 'gateway', rest: `${url}/namespaces/${namespace}` }];
  const client = new ClusterClient({ peers, apiKey: read('api-key') }, { retry: { attempts: 8 } });
  return { client, collection: read('collection') };
}

/**
 * Connects to a library as an application would: with nothing but its binding Secret.
 * Close the client when done.
 *
 * @throws Error naming the Secret and the key it lacks
 */
export async function libraryAccess(admin: KubeClient, { namespace, library }: BindingKey): Promise<LibraryAccess> {
  const name = `${library}-binding`;
  const secret = await admin.get(SECRETS, { namespace, name });
  const read = (key: string): string | undefined => {
    const encoded = secret.data?.[key];
    return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
  };
  const need = (key: string): string => {
    const value = read(key);
    if (value === undefined || value === '') throw new Error(`Secret ${namespace}/${name} has no key ${key}`);
    return value;
  };
  const apiKey = read('api-key');
  const grpcPort = read('grpc-port');
  const rest = need('uri');
  const peer = {
    name: library,
    rest,
    ...(grpcPort === undefined ? {} : { grpc: `${new URL(rest).protocol}//${need('host')}:${grpcPort}` }),
  };
  const connection = { peers: [peer], ...(apiKey === undefined ? {} : { apiKey }) };
  return { client: new ClusterClient(connection, { retry: { attempts: 8 } }), collection: need('collection') };
}
