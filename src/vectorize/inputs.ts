import { createHash } from 'node:crypto';
import type { VectorizationJob } from '../api/index.ts';
import type { ConfigMap, KubeObject } from '../kube/index.ts';
import { canonicalJson } from '../vectors/index.ts';
import type { VectorizeInformers } from './deps.ts';
import { namedSecrets, neededObjects } from './references.ts';

/** No key of a ConfigMap holds a slash. */
const DIGEST = 'qdrant-librarian.io/digest';

const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);

/** Somebody else's ConfigMap as the cache keeps it: a digest tells whether its content has changed. */
export const withDigestOnly = ({ apiVersion, kind, metadata, data, binaryData }: ConfigMap): ConfigMap => ({
  apiVersion,
  kind,
  metadata,
  data: { [DIGEST]: contentDigest(data, binaryData) },
});

const contentDigest = (data: ConfigMap['data'] = {}, binaryData: ConfigMap['binaryData'] = {}): string =>
  data[DIGEST] ?? digestOf([data, binaryData]);

type Caches = Pick<VectorizeInformers, 'configMaps' | 'secrets'>;

/** Undefined when the spec names none, and while one of them is not there: nobody takes that for a change. */
export function configMapsDigest(job: VectorizationJob, { configMaps }: Caches): string | undefined {
  const { namespace = '' } = job.metadata;
  const names = neededObjects(job).flatMap(({ kind, name }) => (kind === 'ConfigMap' ? [name] : []));
  const found = names.map((name) => configMaps.store.get({ namespace, name }));
  if (names.length === 0 || found.includes(undefined)) return undefined;
  return digestOf(found.map((map) => (map === undefined ? '' : contentDigest(map.data, map.binaryData))));
}

/** Of versions: a digest of a key would be one that could be guessed at. */
export function secretsDigest(job: VectorizationJob, { secrets }: Caches): string | undefined {
  const { namespace = '' } = job.metadata;
  const names = namedSecrets(job);
  return names.length === 0
    ? undefined
    : digestOf(names.map((name) => versionOf(secrets.store.get({ namespace, name }))));
}

const versionOf = (object: KubeObject | undefined): string =>
  `${object?.metadata.uid ?? ''}/${object?.metadata.resourceVersion ?? ''}`;
