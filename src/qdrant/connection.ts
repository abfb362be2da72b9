import { fingerprintOf } from './pool.ts';
import type { Connection, PeerAddress, TlsOptions } from './types.ts';

type SecretKeyRef = { readonly name: string; readonly key?: string };
type KeySource = { readonly generate?: boolean; readonly secretKeyRef?: SecretKeyRef };

/** The part of a QdrantCluster object that says how to reach it. */
export type ConnectionSource = {
  readonly metadata: { readonly name?: string; readonly namespace?: string };
  readonly spec: {
    readonly external?: {
      readonly url: string;
      readonly apiKeySecretRef?: SecretKeyRef;
      readonly caSecretRef?: SecretKeyRef;
    };
    readonly size?: number;
    readonly apiKey?: KeySource;
    readonly readOnlyApiKey?: KeySource;
  };
  readonly status?: { readonly peers?: readonly { readonly ordinal?: number; readonly state?: string }[] };
};

/** Decoded data of a Secret in the cluster's namespace; undefined when there is no such Secret. */
export type SecretLookup = (name: string) => Readonly<Record<string, string>> | undefined;

/** Stable: these reasons stand in conditions. */
export type ConnectionRefusal = 'SecretNotFound' | 'SecretKeyMissing' | 'SecretEmpty' | 'SecretInvalid' | 'UrlInvalid';
export type ConnectionResult =
  | {
      readonly ok: true;
      readonly connection: Connection /** Changes with anything that matters; holds a hash, no secret. */;
      readonly key: string;
    }
  | { readonly ok: false; readonly reason: ConnectionRefusal; readonly message: string };

export type ConnectionOptions = {
  /** Use the key that may only read, where there is one. */ readonly preferReadOnly?: boolean;
};

type Read =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly reason: ConnectionRefusal; readonly message: string };

/**
 * How to reach a cluster: every peer by its own name and plain HTTP for one that the operator runs (its pods serve
 * nothing else: `spec.tls` isn't built), the URL for an external one, with key and CA from their Secrets. Never empty-handed: measured on 1.18.3, an empty key is not "no key".
 */
export function connectionOf(
  cluster: ConnectionSource,
  secretData: SecretLookup,
  options: ConnectionOptions = {},
): ConnectionResult {
  const { name = '', namespace = '' } = cluster.metadata;
  const apiKeyRef = keyReference(cluster, secretData, options);
  const apiKey = apiKeyRef === undefined ? undefined : readSecret(apiKeyRef, secretData);
  if (apiKey?.ok === false) return apiKey;
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey.value)) {
    const message = `key ${apiKeyRef?.key} of Secret ${apiKeyRef?.name} holds a space, a line break or a character that no header carries`;
    return { ok: false, reason: 'SecretInvalid', message };
  }
  const caRef = caReference(cluster);
  const ca = caRef === undefined ? undefined : readSecret(caRef, secretData);
  if (ca?.ok === false) return ca;
  const peers = peerAddresses(cluster);
  if (peers === undefined)
    return {
      ok: false,
      reason: 'UrlInvalid',
      message: 'spec.external.url is not an http(s) URL without a user and password',
    };
  const tls: TlsOptions | undefined = ca === undefined ? undefined : { ca: ca.value };
  const connection: Connection = {
    peers,
    ...(apiKey === undefined ? {} : { apiKey: apiKey.value }),
    ...(tls === undefined ? {} : { tls }),
  };
  return { ok: true, connection, key: `${namespace}/${name}#${fingerprintOf(connection).slice(0, 16)}` };
}

const API_KEY = 'api-key';
const READ_ONLY_API_KEY = 'read-only-api-key';
type Reference = { readonly name: string; readonly key: string };

function keyReference(
  { metadata, spec }: ConnectionSource,
  secretData: SecretLookup,
  options: ConnectionOptions,
): Reference | undefined {
  if (spec.external !== undefined) {
    const reference = spec.external.apiKeySecretRef;
    return reference === undefined ? undefined : { name: reference.name, key: reference.key ?? API_KEY };
  }
  const generated = `${metadata.name}-apikey`;
  const readOnly = {
    name: spec.readOnlyApiKey?.secretKeyRef?.name ?? generated,
    key: spec.readOnlyApiKey?.secretKeyRef?.key ?? READ_ONLY_API_KEY,
  };
  if (options.preferReadOnly === true && readSecret(readOnly, secretData).ok) return readOnly;
  return { name: spec.apiKey?.secretKeyRef?.name ?? generated, key: spec.apiKey?.secretKeyRef?.key ?? API_KEY };
}

function caReference({ spec }: ConnectionSource): Reference | undefined {
  const reference = spec.external?.caSecretRef;
  return reference === undefined ? undefined : { name: reference.name, key: reference.key ?? 'ca.crt' };
}

function readSecret({ name, key }: Reference, secretData: SecretLookup): Read {
  const data = secretData(name);
  if (data === undefined) return { ok: false, reason: 'SecretNotFound', message: `there is no Secret ${name}` };
  const value = data[key];
  if (value === undefined)
    return { ok: false, reason: 'SecretKeyMissing', message: `Secret ${name} has no key ${key}` };
  if (value.trim() === '')
    return { ok: false, reason: 'SecretEmpty', message: `key ${key} of Secret ${name} is empty` };
  return { ok: true, value };
}

/** Every peer by its own name, or the URL of an external cluster; undefined for a URL that can't be used. */
export const peerAddresses = (cluster: ConnectionSource): PeerAddress[] | undefined =>
  cluster.spec.external === undefined ? managedPeers(cluster) : externalPeers(cluster.spec.external.url);

/** Peers that left the spec but not yet the cluster are still asked: they hold shards until they are drained. */
function managedPeers({ metadata, spec, status }: ConnectionSource): PeerAddress[] {
  const { name, namespace } = metadata;
  // A removed peer has no name any more: asking it would cost every second request a repeat.
  const members = (status?.peers ?? []).filter(({ state }) => state !== 'Removed');
  const known = members.map(({ ordinal = -1 }) => ordinal + 1);
  const count = Math.max(spec.size ?? 1, ...known);
  return Array.from({ length: count }, (_, ordinal) => {
    const host = `http://${name}-${ordinal}.${name}-headless.${namespace}.svc`;
    return { name: `${name}-${ordinal}`, rest: `${host}:6333`, grpc: `${host}:6334` };
  });
}

function externalPeers(url: string): PeerAddress[] | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, username, password } = new URL(url);
  if ((protocol !== 'http:' && protocol !== 'https:') || username !== '' || password !== '') return undefined;
  return [{ name: host, rest: url }];
}
