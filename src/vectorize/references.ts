import type { VectorizationJob } from '../api/index.ts';
import type { SourceCluster } from './world.ts';

/** A key of a Secret that the worker needs. */
export type NeededKey = { readonly field: string; readonly name: string; readonly key: string };
/** An object without keys that matter here. */
export type NeededObject = {
  readonly field: string;
  readonly kind: 'ConfigMap' | 'PersistentVolumeClaim';
  readonly name: string;
};

const AUTHORIZATION = 'authorization';
const S3_KEYS = ['access-key-id', 'secret-access-key'] as const;

/** ConfigMaps and claims that the spec names. */
export function neededObjects({ spec }: VectorizationJob): NeededObject[] {
  const { configMap, persistentVolumeClaim } = spec.source;
  const golden = spec.gates?.goldenQueriesConfigMapRef;
  return [
    ...(configMap === undefined
      ? []
      : [{ field: 'spec.source.configMap.name', kind: 'ConfigMap' as const, name: configMap.name }]),
    ...(persistentVolumeClaim === undefined
      ? []
      : [
          {
            field: 'spec.source.persistentVolumeClaim.claimName',
            kind: 'PersistentVolumeClaim' as const,
            name: persistentVolumeClaim.claimName,
          },
        ]),
    ...(golden === undefined
      ? []
      : [{ field: 'spec.gates.goldenQueriesConfigMapRef.name', kind: 'ConfigMap' as const, name: golden.name }]),
  ];
}

/** Keys for the embedder, by the file that the worker reads. */
export function embedderKeys({ spec }: VectorizationJob): Readonly<Record<string, NeededKey>> {
  const { apiKeySecretRef: key, caSecretRef: ca } = spec.embedder;
  return {
    ...(key === undefined
      ? {}
      : { 'api-key': { field: 'spec.embedder.apiKeySecretRef', name: key.name, key: key.key ?? 'api-key' } }),
    ...(ca === undefined
      ? {}
      : { 'ca.crt': { field: 'spec.embedder.caSecretRef', name: ca.name, key: ca.key ?? 'ca.crt' } }),
  };
}

/** Keys for the source, by the file that the worker reads. */
export function sourceKeys(
  { spec }: VectorizationJob,
  cluster: SourceCluster | undefined,
): Readonly<Record<string, NeededKey>> {
  const { http, s3, collection } = spec.source;
  if (http?.credentialsSecretRef !== undefined) {
    const { name } = http.credentialsSecretRef;
    return { [AUTHORIZATION]: { field: 'spec.source.http.credentialsSecretRef', name, key: AUTHORIZATION } };
  }
  if (s3?.credentialsSecretRef !== undefined) {
    const { name } = s3.credentialsSecretRef;
    const field = 'spec.source.s3.credentialsSecretRef';
    return Object.fromEntries(S3_KEYS.map((key) => [key, { field, name, key }]));
  }
  if (collection === undefined || cluster === undefined) return {};
  const field = 'spec.source.collection.clusterRef';
  return {
    ...(cluster.apiKey === undefined ? {} : { 'api-key': { field, ...cluster.apiKey } }),
    ...(cluster.ca === undefined ? {} : { 'ca.crt': { field, ...cluster.ca } }),
  };
}

/** Names of the Secrets that the spec itself names. */
export const namedSecrets = (job: VectorizationJob): string[] =>
  [...Object.values(embedderKeys(job)), ...Object.values(sourceKeys(job, undefined))].map(({ name }) => name);
