import type { ConnectionSource, SecretLookup } from './connection.ts';

type KeyOfSecret = { readonly name: string; readonly key: string };

/** Keys of Secrets that a worker mounts to reach a cluster; by the rules of `connectionOf`. */
export type MountedSecrets = { readonly apiKey: KeyOfSecret | undefined; readonly ca: KeyOfSecret | undefined };

const API_KEY = 'api-key';
const CA = 'ca.crt';

export function mountedSecrets({ metadata, spec }: ConnectionSource): MountedSecrets {
  const { external, apiKey } = spec;
  if (external !== undefined) {
    const { apiKeySecretRef: key, caSecretRef: ca } = external;
    return {
      apiKey: key === undefined ? undefined : { name: key.name, key: key.key ?? API_KEY },
      ca: ca === undefined ? undefined : { name: ca.name, key: ca.key ?? CA },
    };
  }
  const reference = apiKey?.secretKeyRef;
  return {
    apiKey: { name: reference?.name ?? `${metadata.name}-apikey`, key: reference?.key ?? API_KEY },
    // Plain HTTP, whatever spec.tls says: it isn't built.
    ca: undefined,
  };
}

/** Names of the Secrets that reaching a cluster depends on. */
export const secretNames = (cluster: ConnectionSource): string[] => {
  const { apiKey, ca } = mountedSecrets(cluster);
  return [apiKey, ca].flatMap((reference) => (reference === undefined ? [] : [reference.name]));
};

type StoredSecret = { readonly metadata: object; readonly data?: Readonly<Record<string, string>> };

/** Decoded data of the Secrets in a store. */
export function secretLookup(
  store: { get(key: { namespace: string; name: string }): StoredSecret | undefined },
  namespace: string,
): SecretLookup {
  return (name) => {
    const data = store.get({ namespace, name })?.data;
    if (data === undefined) return store.get({ namespace, name }) === undefined ? undefined : {};
    return Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
    );
  };
}
