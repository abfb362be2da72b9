import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DomainLibrarySpec, LibraryProfile } from '../../src/api/index.ts';
import { createBody } from '../../src/library/create-body.ts';
import { difference, reshaping } from '../../src/library/diff.ts';
import { type Observed, observedShape } from '../../src/library/observed.ts';
import { profileDefaults, withProfile } from '../../src/library/profiles.ts';
import { shapeDigest, shapeOf } from '../../src/library/shape.ts';
import type { Schemas } from '../../src/qdrant/index.ts';

const spec = (change: Partial<DomainLibrarySpec> = {}): DomainLibrarySpec => ({
  domain: 'docs',
  placement: { clusterRef: { name: 'main' } },
  vectors: [{ name: '', size: 4, distance: 'Cosine' }],
  ...change,
});
const mark = { uid: 'u', namespace: 'n', name: 'docs', generation: 1 };

/** A collection as Qdrant 1.18 shows it. */
const observed = (change: Partial<Observed> = {}): Observed => ({
  vectors: { '': { size: 4, distance: 'Cosine' } },
  sparse: {},
  shardNumber: 1,
  customSharding: false,
  params: { replication_factor: 1, write_consistency_factor: 1, on_disk_payload: true },
  hnsw: { m: 16, ef_construct: 100, full_scan_threshold: 10_000 },
  optimizers: { deleted_threshold: 0.2, indexing_threshold: 10_000 },
  quantization: undefined,
  strictMode: {},
  indexes: {},
  ...change,
});

test('a value of the spec wins over the profile, field by field; lists as a whole', () => {
  const merged = withProfile(spec({ profile: 'Code', hnsw: { m: 8 }, payloadIndexes: [] }));
  assert.deepEqual(merged.hnsw, { m: 8, efConstruct: 200 });
  assert.deepEqual(merged.payloadIndexes, []);
  assert.deepEqual(merged.vectors, spec().vectors);
});

for (const profile of ['Documentation', 'Code', 'Analytics', 'AiMl'] as const satisfies LibraryProfile[]) {
  test(`profile ${profile} alone is enough to make a collection`, () => {
    const { vectors: _vectors, ...bare } = spec({ profile });
    const shape = shapeOf(bare);
    assert.ok(Object.keys(shape.vectors ?? {}).length > 0);
    assert.ok(Object.keys(shape.indexes).length > 0);
    assert.equal(shape.strictMode['enabled'], true);
    assert.equal(profileDefaults(profile).vectors?.[0]?.distance, 'Cosine');
  });
}

test('sparse vectors alone do not bring the dense vector of a profile', () => {
  const { vectors: _vectors, ...bare } = spec({ profile: 'Documentation', sparseVectors: [{ name: 'words' }] });
  assert.equal(shapeOf(bare).vectors, undefined);
});

test('all words are translated into those of Qdrant', () => {
  const shape = shapeOf(
    spec({
      vectors: [
        {
          name: 'a',
          size: 4,
          datatype: 'float16',
          multivector: {},
          onDisk: true,
          hnsw: { m: 4 },
          quantization: { binary: { encoding: 'two_bits', queryEncoding: 'scalar8bits', alwaysRam: true } },
        },
      ],
      sparseVectors: [{ name: 's', modifier: 'idf', index: { onDisk: true, datatype: 'uint8', fullScanThreshold: 9 } }],
      quantization: { product: { compression: 'x16' } },
      optimizers: {
        deletedThresholdPercent: 30,
        maxSegmentSizeKB: 5,
        flushIntervalSeconds: 7,
        maxOptimizationThreads: 0,
      },
      shards: { number: 2, replicationFactor: 2, writeConsistencyFactor: 1, keys: ['x'] },
      strictMode: { upsertMaxBatchSize: 5, searchMaxOversamplingPercent: 250, writeRateLimitPerMinute: 9 },
      payloadIndexes: [
        { field: 't', type: 'text', tokenizer: 'word', minTokenLength: 2, maxTokenLength: 9, lowercase: true },
      ],
    }),
  );
  assert.deepEqual(shape.vectors?.['a'], {
    size: 4,
    datatype: 'float16',
    multivector: { comparator: 'max_sim' },
    tuning: {
      on_disk: true,
      hnsw_config: { m: 4 },
      quantization_config: { binary: { encoding: 'two_bits', query_encoding: 'scalar8bits', always_ram: true } },
    },
  });
  assert.deepEqual(shape.sparse, {
    s: { modifier: 'idf', index: { full_scan_threshold: 9, on_disk: true, datatype: 'uint8' } },
  });
  assert.deepEqual(shape.quantization, { product: { compression: 'x16' } });
  assert.deepEqual(shape.optimizers, {
    deleted_threshold: 0.3,
    max_segment_size: 5,
    flush_interval_sec: 7,
    max_optimization_threads: 0,
  });
  assert.deepEqual(shape.params, { replication_factor: 2, write_consistency_factor: 1 });
  assert.deepEqual(shape.strictMode, {
    enabled: true,
    search_max_oversampling: 2.5,
    upsert_max_batchsize: 5,
    write_rate_limit: 9,
  });
  assert.deepEqual(shape.indexes['t'], {
    type: 'text',
    tokenizer: 'word',
    min_token_len: 2,
    max_token_len: 9,
    lowercase: true,
  });
});

test('a quota of the cluster is enforced by strict mode, and the smaller limit counts', () => {
  const megabyte = 1024 * 1024;
  assert.deepEqual(shapeOf(spec({ strictMode: { enabled: false } }), { maxCollectionSizeMB: 2 }).strictMode, {
    enabled: true,
    max_collection_vector_size_bytes: 2 * megabyte,
  });
  const small = shapeOf(spec({ strictMode: { maxCollectionVectorSizeBytes: 10 } }), { maxCollectionSizeMB: 2 });
  assert.equal(small.strictMode['max_collection_vector_size_bytes'], 10);
});

test('the digest of a shape does not depend on the order of fields', () => {
  const a = shapeOf(spec({ hnsw: { m: 8, efConstruct: 9 } }));
  const b = shapeOf(spec({ hnsw: { efConstruct: 9, m: 8 } }));
  assert.equal(shapeDigest(a), shapeDigest(b));
  assert.notEqual(shapeDigest(a), shapeDigest(shapeOf(spec({ hnsw: { m: 9 } }))));
});

test('a collection as its own spec would make it needs nothing', () => {
  const wanted = spec({
    hnsw: { m: 16 },
    optimizers: { deletedThresholdPercent: 20 },
    quantization: { disabled: true },
  });
  assert.deepEqual(difference(shapeOf(wanted), observed()), {
    newGeneration: [],
    newVectors: [],
    patch: undefined,
    createIndexes: [],
    surplusIndexes: [],
  });
});

const inPlace: [string, Partial<DomainLibrarySpec>, Partial<Observed>, unknown][] = [
  ['hnsw', { hnsw: { m: 32 } }, {}, { hnsw_config: { m: 32 } }],
  ['optimizers', { optimizers: { indexingThresholdKB: 5 } }, {}, { optimizers_config: { indexing_threshold: 5 } }],
  ['replication', { shards: { replicationFactor: 2 } }, {}, { params: { replication_factor: 2 } }],
  [
    'strict mode',
    { strictMode: { maxQueryLimit: 9 } },
    {},
    { strict_mode_config: { enabled: true, max_query_limit: 9 } },
  ],
  [
    'quantization replaced as a whole',
    { quantization: { scalar: { quantilePercent: 99 } } },
    { quantization: { product: { compression: 'x4' } } },
    { quantization_config: { scalar: { type: 'int8', quantile: 0.99 } } },
  ],
  [
    'quantization switched off',
    { quantization: { disabled: true } },
    { quantization: { scalar: { type: 'int8' } } },
    { quantization_config: 'Disabled' },
  ],
  [
    'tuning of the unnamed vector',
    { vectors: [{ name: '', size: 4, distance: 'Cosine', onDisk: true }] },
    {},
    { vectors: { '': { on_disk: true } } },
  ],
  [
    'a sparse index, with what it had',
    { sparseVectors: [{ name: 's', modifier: 'idf' }] },
    { sparse: { s: { index: { on_disk: true } } } },
    { sparse_vectors: { s: { index: { on_disk: true }, modifier: 'idf' } } },
  ],
];
for (const [what, change, has, patch] of inPlace) {
  test(`changed in place: ${what}`, () => {
    const found = difference(shapeOf(spec(change)), observed(has));
    assert.deepEqual(found.patch, patch);
    assert.deepEqual(found.newGeneration, []);
  });
}

const anew: [string, Partial<DomainLibrarySpec>, Partial<Observed>, RegExp][] = [
  ['size', { vectors: [{ name: '', size: 5 }] }, {}, /size of the unnamed vector: 4 -> 5/],
  [
    'distance',
    { vectors: [{ name: '', size: 4, distance: 'Dot' }] },
    {},
    /distance of the unnamed vector: Cosine -> Dot/,
  ],
  ['datatype', { vectors: [{ name: '', size: 4, datatype: 'float16' }] }, {}, /datatype .*float32 -> float16/],
  ['multivector', { vectors: [{ name: '', size: 4, multivector: {} }] }, {}, /multivector/],
  ['shards', { shards: { number: 3 } }, {}, /shards.number: 1 -> 3/],
  ['shard keys', { shards: { keys: ['a'] } }, {}, /sharding: auto -> custom/],
  ['a name', { vectors: [{ name: 'a', size: 4 }] }, {}, /vector a is added; the unnamed vector is removed/],
  ['the unnamed vector', {}, { vectors: { a: { size: 4, distance: 'Cosine' } } }, /the unnamed vector is added/],
  ['no sparse vector', {}, { sparse: { s: {} } }, /sparse vector s is removed/],
];
for (const [what, change, has, reason] of anew) {
  test(`needs a new generation: ${what}`, () => {
    assert.match(reshaping(difference(shapeOf(spec(change)), observed(has))).join('; '), reason);
    assert.notDeepEqual(difference(shapeOf(spec(change)), observed(has)).newGeneration, []);
  });
}

test('what the spec does not say is left as it is', () => {
  const { vectors: _vectors, ...silent } = spec({ adopt: true });
  const has = observed({
    vectors: { a: { size: 9, distance: 'Dot', datatype: 'uint8' } },
    hnsw: { m: 99 },
    quantization: { scalar: { type: 'int8' } },
    strictMode: { enabled: true, max_query_limit: 1 },
    shardNumber: 7,
  });
  const found = difference(shapeOf(silent), has);
  assert.deepEqual([found.newGeneration, found.patch], [[], undefined]);
  const unsaid = difference(
    shapeOf(spec({ vectors: [{ name: '', size: 4 }] })),
    observed({ vectors: { '': { size: 4, distance: 'Euclid' } } }),
  );
  assert.deepEqual(unsaid.newGeneration, []);
});

test('indexes: made, made anew when they differ, surplus ones named', () => {
  const shape = shapeOf(
    spec({
      payloadIndexes: [
        { field: 'a', type: 'keyword' },
        { field: 'b', type: 'integer', range: true },
      ],
    }),
  );
  const has = observed({
    indexes: { a: { type: 'keyword' }, b: { type: 'integer', range: false }, c: { type: 'bool' } },
  });
  const found = difference(shape, has);
  assert.deepEqual(found.createIndexes, [{ field: 'b', schema: { type: 'integer', range: true } }]);
  assert.deepEqual(found.surplusIndexes, ['c']);
});

test('a new collection: one unnamed vector, or named ones; Cosine where nothing is said', () => {
  const one = createBody(shapeOf(spec({ vectors: [{ name: '', size: 4 }] })), { mark, strictMode: true });
  assert.deepEqual(one.vectors, { size: 4, distance: 'Cosine' });
  assert.deepEqual(one.metadata, { 'qdrant-librarian': mark });
  const named = createBody(
    shapeOf(
      spec({
        vectors: [
          { name: 'a', size: 1 },
          { name: 'b', size: 2, distance: 'Dot' },
        ],
        shards: { keys: ['k'] },
      }),
    ),
    { mark, strictMode: true },
  );
  assert.deepEqual(named.vectors, { a: { size: 1, distance: 'Cosine' }, b: { size: 2, distance: 'Dot' } });
  assert.equal(named.sharding_method, 'custom');
});

test('a new generation takes from the old one what the spec does not say, and no limits while it is filled', () => {
  const base = observed({
    vectors: { '': { size: 4, distance: 'Euclid', on_disk: true } },
    params: { replication_factor: 2, write_consistency_factor: 2, on_disk_payload: false, shard_number: 1 },
    hnsw: { m: 40 },
    quantization: { scalar: { type: 'int8' } },
    strictMode: { enabled: true, write_rate_limit: 5 },
  });
  const { vectors: _vectors, ...silent } = spec({ adopt: true, shards: { number: 3 } });
  const body = createBody(shapeOf(silent), { mark, base, strictMode: false });
  assert.deepEqual(body, {
    vectors: { size: 4, distance: 'Euclid', on_disk: true },
    shard_number: 3,
    replication_factor: 2,
    write_consistency_factor: 2,
    on_disk_payload: false,
    hnsw_config: { m: 40 },
    optimizers_config: base.optimizers,
    quantization_config: { scalar: { type: 'int8' } },
    strict_mode_config: { enabled: false },
    metadata: { 'qdrant-librarian': mark },
  });
  const off = createBody(shapeOf(spec({ quantization: { disabled: true } })), { mark, base, strictMode: true });
  assert.equal(off.quantization_config, undefined);
});

test('what Qdrant shows is read without its nulls, the unnamed vector by no name', () => {
  const info = {
    config: {
      params: { vectors: { size: 4, distance: 'Dot', on_disk: null }, shard_number: 2, sharding_method: 'custom' },
      hnsw_config: { m: 16, payload_m: null },
      optimizer_config: { max_segment_size: null, flush_interval_sec: 5 },
      quantization_config: null,
    },
    payload_schema: {
      a: { data_type: 'keyword', points: 3 },
      b: { data_type: 'text', params: { type: 'text', tokenizer: 'word', on_disk: null } },
    },
  } as unknown as Schemas['CollectionInfo'];
  const shown = observedShape(info);
  assert.deepEqual(shown.vectors, { '': { size: 4, distance: 'Dot' } });
  assert.equal(shown.customSharding, true);
  assert.deepEqual(shown.hnsw, { m: 16 });
  assert.deepEqual(shown.optimizers, { flush_interval_sec: 5 });
  assert.deepEqual(shown.indexes, { a: { type: 'keyword' }, b: { type: 'text', tokenizer: 'word' } });
  assert.equal(shown.quantization, undefined);
});
