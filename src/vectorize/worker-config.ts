import type { VectorizationJob } from '../api/index.ts';
import type { SourceConfig, VectorizeConfig } from './config.ts';
import { sourceKind } from './decide/refused.ts';
import { objectNames } from './names.ts';
import { embedderKeys, sourceKeys } from './references.ts';
import type { LibraryFacts, World } from './world.ts';

/** Longer than the worker's longest silence, short enough for another pod to take over soon. */
const LEASE_SECONDS = 15;

type Bound = LibraryFacts & { readonly binding: NonNullable<LibraryFacts['binding']> };

/** What the worker is told. No secret stands in it. @throws Error for a source that `refusalOf` refuses */
export function workerConfig(world: World, library: Bound, run: string): VectorizeConfig {
  const { job, settings } = world;
  const { metadata, spec } = job;
  const { namespace = '', name, uid = '' } = metadata;
  const { chunking = {}, embedder, gates = {}, budget = {} } = spec;
  const keys = embedderKeys(job);
  const { apiKeySecretRef: _key, caSecretRef: _ca, ...embedding } = embedder;
  const { goldenQueriesConfigMapRef: golden, ...limits } = gates;
  return {
    version: 1,
    job: { uid, namespace, name },
    run,
    progress: { namespace, name: objectNames(name).progress },
    source: sourceConfig(world),
    include: spec.include ?? [],
    exclude: spec.exclude ?? [],
    chunking: {
      strategy: chunking.strategy ?? 'Text',
      maxTokens: chunking.maxTokens ?? 512,
      overlapTokens: chunking.overlapTokens ?? 64,
    },
    embedder: { ...embedding, apiKey: keys['api-key'] !== undefined, ca: keys['ca.crt'] !== undefined },
    target: {
      collection: library.collection,
      ...(spec.target.vector === undefined ? {} : { vector: spec.target.vector }),
      uri: library.binding.uri,
      ...(library.peers === undefined ? {} : { peers: library.peers.map((peer) => ({ ...peer })) }),
    },
    mode: spec.mode ?? 'Incremental',
    gates: { ...limits, goldenQueries: golden !== undefined },
    deletionGuardPercent: spec.deletionGuardPercent ?? 20,
    budget: budgetOf(budget),
    threads: spec.parallelism ?? 1,
    leaseSeconds: LEASE_SECONDS,
    patienceSeconds: settings.patienceSeconds,
  };
}

function budgetOf({
  maxTokens,
  pricePerMillionTokens: price,
  maxCost,
}: NonNullable<VectorizationJob['spec']['budget']>) {
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(price === undefined ? {} : { pricePerMillionTokens: Number(price) }),
    ...(maxCost === undefined ? {} : { maxCost: Number(maxCost) }),
  };
}

function sourceConfig({ job, sourceCluster }: World): SourceConfig {
  const { http, s3, collection, persistentVolumeClaim: claim } = job.spec.source;
  const keys = sourceKeys(job, sourceCluster);
  if (http !== undefined) {
    const { urls, followLinks = false, maxDepth = 3 } = http;
    return { kind: 'http', urls, followLinks, maxDepth, authorization: keys['authorization'] !== undefined };
  }
  if (s3 !== undefined) {
    const { bucket, prefix, endpoint, region = 'us-east-1' } = s3;
    return {
      kind: 's3',
      bucket,
      ...(prefix === undefined ? {} : { prefix }),
      ...(endpoint === undefined ? {} : { endpoint }),
      region,
      credentials: keys['access-key-id'] !== undefined,
    };
  }
  if (collection !== undefined && sourceCluster !== undefined) {
    const { name, textField } = collection;
    const credentials = { apiKey: keys['api-key'] !== undefined, ca: keys['ca.crt'] !== undefined };
    const peers = sourceCluster.peers.map((peer) => ({ ...peer }));
    return { kind: 'collection', collection: name, peers, ...credentials, textField };
  }
  if (readsFiles(job)) {
    return { kind: 'directory', ...(claim?.path === undefined || claim.path === '' ? {} : { below: claim.path }) };
  }
  throw new Error(`a source of kind ${sourceKind(job) ?? '?'} can't be handed to a worker`);
}

/** Whether documents are files that are mounted. */
export const readsFiles = ({ spec }: VectorizationJob): boolean =>
  spec.source.configMap !== undefined || spec.source.persistentVolumeClaim !== undefined;
