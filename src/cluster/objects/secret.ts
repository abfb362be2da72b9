import type { QdrantCluster } from '../../api/index.ts';
import type { Secret } from '../../kube/index.ts';
import { keysName } from '../names.ts';
import { ownedMetadata } from './metadata.ts';

export const API_KEY = 'api-key';
export const READ_ONLY_API_KEY = 'read-only-api-key';

/** Where a key is read from. */
export type KeyReference = { readonly name: string; readonly key: string };

export const apiKeyReference = (cluster: QdrantCluster): KeyReference =>
  reference(cluster, cluster.spec.apiKey?.secretKeyRef, API_KEY);
export const readOnlyKeyReference = (cluster: QdrantCluster): KeyReference =>
  reference(cluster, cluster.spec.readOnlyApiKey?.secretKeyRef, READ_ONLY_API_KEY);

const reference = (
  cluster: QdrantCluster,
  given: { name: string; key?: string } | undefined,
  key: string,
): KeyReference => ({ name: given?.name ?? keysName(cluster), key: given?.key ?? key });

/** Whether one of the keys is the operator's to make. */
export const generatesKeys = ({ spec }: QdrantCluster): boolean =>
  spec.apiKey?.secretKeyRef === undefined || spec.readOnlyApiKey?.secretKeyRef === undefined;

/**
 * The Secret of generated keys; made once and never written again.
 *
 * @param random a new key at every call
 */
export function keysSecret(cluster: QdrantCluster, random: () => string): Secret {
  const { apiKey, readOnlyApiKey } = cluster.spec;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: ownedMetadata(cluster, keysName(cluster)),
    type: 'Opaque',
    data: {
      ...(apiKey?.secretKeyRef === undefined ? { [API_KEY]: base64(random()) } : {}),
      ...(readOnlyApiKey?.secretKeyRef === undefined ? { [READ_ONLY_API_KEY]: base64(random()) } : {}),
    },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Decoded values of a Secret. */
export const secretData = (secret: Secret | undefined): Record<string, string> | undefined =>
  secret === undefined
    ? undefined
    : Object.fromEntries(
        Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
      );
