import type { DomainLibrarySpec, LibraryProfile } from '../api/index.ts';

/** The part of a library's spec that a profile has starting values for. */
export type ProfileValues = Pick<
  DomainLibrarySpec,
  'vectors' | 'hnsw' | 'quantization' | 'optimizers' | 'shards' | 'strictMode' | 'payloadIndexes'
>;

/** Keeps one careless request from holding a peer: nobody reads ten thousand hits, or waits ten minutes. */
const GUARDED = { enabled: true, maxQueryLimit: 10_000, maxTimeoutSeconds: 600 } as const;

const PROFILES: Readonly<Record<LibraryProfile, ProfileValues>> = {
  // Short passages, small sentence models: 384 dimensions; int8 costs hardly any recall there and a quarter of the memory.
  Documentation: {
    vectors: [{ name: '', size: 384, distance: 'Cosine' }],
    hnsw: { m: 16, efConstruct: 128 },
    quantization: { scalar: { type: 'int8', quantilePercent: 99, alwaysRam: true } },
    strictMode: GUARDED,
    payloadIndexes: [
      { field: 'source', type: 'keyword' },
      { field: 'path', type: 'keyword' },
      { field: 'language', type: 'keyword' },
    ],
  },
  // Code models have 768 dimensions and near duplicates abound (forks, generated files): a denser graph tells them apart.
  Code: {
    vectors: [{ name: '', size: 768, distance: 'Cosine' }],
    hnsw: { m: 24, efConstruct: 200 },
    quantization: { scalar: { type: 'int8', quantilePercent: 99, alwaysRam: true } },
    strictMode: GUARDED,
    payloadIndexes: [
      { field: 'repository', type: 'keyword' },
      { field: 'language', type: 'keyword' },
      { field: 'path', type: 'keyword' },
      { field: 'symbol', type: 'keyword' },
    ],
  },
  // Written all day, searched by time range: vectors on disk, few edges, large segments, time as the principal filter.
  Analytics: {
    vectors: [{ name: '', size: 384, distance: 'Cosine', onDisk: true }],
    hnsw: { m: 12, efConstruct: 100, onDisk: true },
    quantization: { scalar: { type: 'int8', quantilePercent: 99, alwaysRam: true } },
    optimizers: { indexingThresholdKB: 20_000 },
    strictMode: GUARDED,
    payloadIndexes: [
      { field: 'timestamp', type: 'datetime', isPrincipal: true },
      { field: 'metric', type: 'keyword' },
    ],
  },
  // Experiments compare models: recall before memory, so no quantization and a dense graph.
  AiMl: {
    vectors: [{ name: '', size: 1024, distance: 'Cosine' }],
    hnsw: { m: 32, efConstruct: 256 },
    strictMode: GUARDED,
    payloadIndexes: [
      { field: 'model', type: 'keyword' },
      { field: 'dataset', type: 'keyword' },
    ],
  },
  Custom: {},
};

export const profileDefaults = (profile: LibraryProfile): ProfileValues => PROFILES[profile];

/** The spec with the profile's values where it has none itself; sections merge field by field, lists as a whole. */
export function withProfile(spec: DomainLibrarySpec): ProfileValues & Pick<DomainLibrarySpec, 'sparseVectors'> {
  const defaults = profileDefaults(spec.profile ?? 'Custom');
  const { sparseVectors } = spec;
  // Sparse vectors alone are a shape of their own: the profile's dense vector would be one nobody asked for.
  const vectors = spec.vectors ?? (sparseVectors === undefined ? defaults.vectors : undefined);
  const quantization = spec.quantization ?? defaults.quantization;
  const payloadIndexes = spec.payloadIndexes ?? defaults.payloadIndexes;
  return {
    ...(vectors === undefined ? {} : { vectors }),
    ...(sparseVectors === undefined ? {} : { sparseVectors }),
    ...(quantization === undefined ? {} : { quantization }),
    ...(payloadIndexes === undefined ? {} : { payloadIndexes }),
    hnsw: { ...defaults.hnsw, ...spec.hnsw },
    optimizers: { ...defaults.optimizers, ...spec.optimizers },
    shards: { ...defaults.shards, ...spec.shards },
    strictMode: { ...defaults.strictMode, ...spec.strictMode },
  };
}
