import type { Static } from 'typebox';
import { choice, flag, integer, list, object, optional, text } from '../schema/builders.ts';
import { percent } from '../schema/shapes.ts';
import type { CelRule } from '../schema/types.ts';

/** The shape of a collection in Qdrant's words (camelCase, units in names). Source: reference/qdrant-api.md section 3. */

const MAX_COUNT = 1_000_000_000;
const MAX_KB = 1_000_000_000;

/** Storage types that are safe. `turbo4` is accepted by Qdrant's parser and then stops every peer for good (S1). */
const DATATYPES = ['float32', 'uint8', 'float16'] as const;

export const vectorName = (description: string) =>
  text(description, { max: 200, pattern: '^[^<>:"/\\\\|?*\\x00\\x1f]*$' });

export const hnsw = object('HNSW index. Changed in place; Qdrant rebuilds it in the background.', {
  m: optional(integer('Edges per node; 0 turns the index off.', { min: 0, max: 1024 })),
  efConstruct: optional(integer('Neighbours looked at while building.', { min: 4, max: 10_000 })),
  fullScanThresholdKB: optional(
    integer('Size of the vectors, in KB, below which a search scans instead.', { min: 10, max: MAX_KB }),
  ),
  maxIndexingThreads: optional(integer('Threads that build; 0: chosen by Qdrant.', { min: 0, max: 1024 })),
  onDisk: optional(flag('Whether the index lies on disk.')),
  payloadM: optional(integer('Edges per node of the index of each payload value.', { min: 0, max: 1024 })),
  inlineStorage: optional(flag('Whether the index holds copies of the vectors (needs quantization).')),
});
export type Hnsw = Static<typeof hnsw>;

const alwaysRam = optional(flag('Whether the quantized vectors stay in memory.'));

export const quantization = object(
  'Compression of vectors in memory. Changed in place. `disabled: true` turns it off against the profile.',
  {
    disabled: optional(flag('No quantization.')),
    scalar: optional(
      object('8 bits per number.', {
        type: optional(choice('Stored type.', ['int8'], { default: 'int8' })),
        quantilePercent: optional(percent('Share of the values inside the range, in percent.', { min: 50 })),
        alwaysRam,
      }),
    ),
    product: optional(
      object('Product quantization.', {
        compression: choice('Ratio.', ['x4', 'x8', 'x16', 'x32', 'x64']),
        alwaysRam,
      }),
    ),
    binary: optional(
      object('1 to 2 bits per number.', {
        encoding: optional(choice('Bits per number.', ['one_bit', 'one_and_half_bits', 'two_bits'])),
        queryEncoding: optional(choice('Encoding of the query.', ['default', 'binary', 'scalar4bits', 'scalar8bits'])),
        alwaysRam,
      }),
    ),
    turbo: optional(
      object('Rotated quantization; needs Qdrant 1.18 or newer.', {
        bits: optional(choice('Bits per number.', ['bits1', 'bits1_5', 'bits2', 'bits4'])),
        alwaysRam,
      }),
    ),
  },
  {
    rules: [
      {
        rule: '[has(self.disabled) && self.disabled, has(self.scalar), has(self.product), has(self.binary), has(self.turbo)].filter(x, x).size() == 1',
        message: 'exactly one of disabled: true, scalar, product, binary and turbo must be set',
      },
    ],
  },
);
export type Quantization = Static<typeof quantization>;

const vector = object('A dense vector. size, distance, datatype and multivector need a new generation to change.', {
  name: vectorName('Name; empty for the unnamed vector.'),
  size: integer('Number of dimensions.', { min: 1, max: 65_536 }),
  distance: optional(choice('How near two vectors are.', ['Cosine', 'Dot', 'Euclid', 'Manhattan'])),
  datatype: optional(choice('Stored type of a number.', DATATYPES)),
  multivector: optional(
    object('Several vectors per point.', {
      comparator: optional(choice('How they are compared.', ['max_sim'], { default: 'max_sim' })),
    }),
  ),
  onDisk: optional(flag('Whether the vectors lie on disk.')),
  hnsw: optional(hnsw),
  quantization: optional(quantization),
});
export type Vector = Static<typeof vector>;

export const vectors = list('Dense vectors of a point.', vector, {
  min: 1,
  max: 16,
  keys: ['name'],
  rules: [
    {
      rule: "self.size() == 1 || !self.exists(v, v.name == '')",
      message: 'the unnamed vector must be the only one',
    },
  ],
});

const sparseVector = object(
  'A sparse vector.',
  {
    name: vectorName('Name.'),
    modifier: optional(choice('Weighting done by Qdrant.', ['none', 'idf'])),
    index: optional(
      object('Its index.', {
        fullScanThreshold: optional(
          integer('Number of vectors below which a search scans instead.', { min: 0, max: MAX_COUNT }),
        ),
        onDisk: optional(flag('Whether the index lies on disk.')),
        datatype: optional(choice('Stored type of a weight.', DATATYPES)),
      }),
    ),
  },
  { rules: [{ rule: "self.name != ''", message: 'a sparse vector must have a name' }] },
);
export type SparseVector = Static<typeof sparseVector>;

export const sparseVectors = list('Sparse vectors of a point.', sparseVector, { max: 16, keys: ['name'] });

export const optimizers = object('Segment optimiser. Changed in place.', {
  deletedThresholdPercent: optional(
    percent('Share of deleted points that makes a segment worth cleaning, in percent.'),
  ),
  vacuumMinVectorNumber: optional(integer('Fewest vectors of a segment worth cleaning.', { min: 100, max: MAX_COUNT })),
  defaultSegmentNumber: optional(integer('Segments aimed at; 0: chosen by Qdrant.', { min: 0, max: 1000 })),
  maxSegmentSizeKB: optional(integer('Largest segment, in KB.', { min: 1, max: MAX_KB })),
  memmapThresholdKB: optional(integer('Size from which a segment is memory-mapped, in KB.', { min: 0, max: MAX_KB })),
  indexingThresholdKB: optional(
    integer('Size from which a segment is indexed, in KB; 0: never.', { min: 0, max: MAX_KB }),
  ),
  flushIntervalSeconds: optional(integer('Time between flushes, in seconds.', { min: 1, max: 3600 })),
  maxOptimizationThreads: optional(integer('Threads; 0: none, the optimiser is off.', { min: 0, max: 1024 })),
  preventUnoptimized: optional(flag('Whether writes wait for the optimiser; needs Qdrant 1.17 or newer.')),
});
export type Optimizers = Static<typeof optimizers>;

export const shards = object(
  'How the collection is spread. number and keys need a new generation to change, the rest is changed in place.',
  {
    number: optional(integer('Shards; with keys: shards of each key.', { min: 1, max: 1024 })),
    replicationFactor: optional(integer('Copies of each shard.', { min: 1, max: 100 })),
    writeConsistencyFactor: optional(integer('Copies that must confirm a write.', { min: 1, max: 100 })),
    keys: optional(
      list('Shard keys: points say which one they belong to.', text('A key.', { min: 1, max: 128 }), {
        min: 1,
        max: 256,
        set: true,
      }),
    ),
  },
  {
    rules: [
      {
        rule: '!has(self.writeConsistencyFactor) || !has(self.replicationFactor) || self.writeConsistencyFactor <= self.replicationFactor',
        message: 'writeConsistencyFactor must not be greater than replicationFactor',
        fieldPath: '.writeConsistencyFactor',
      },
    ],
  },
);
export type Shards = Static<typeof shards>;

export const strictMode = object('Limits that Qdrant enforces on requests. Changed in place.', {
  enabled: optional(flag('Whether they are enforced.', { default: true })),
  maxQueryLimit: optional(integer('Largest limit of a query.', { min: 1, max: MAX_COUNT })),
  maxTimeoutSeconds: optional(integer('Largest timeout of a request, in seconds.', { min: 1, max: 86_400 })),
  unindexedFilteringRetrieve: optional(flag('Whether reads may filter by a field without index.')),
  unindexedFilteringUpdate: optional(flag('Whether updates may filter by a field without index.')),
  searchMaxHnswEf: optional(integer('Largest hnsw_ef of a search.', { min: 1, max: 1_000_000 })),
  searchAllowExact: optional(flag('Whether exact search is allowed.')),
  searchMaxOversamplingPercent: optional(
    integer('Largest oversampling, in percent (200 = twice as many).', { min: 100, max: 1_000_000 }),
  ),
  upsertMaxBatchSize: optional(integer('Most points of an upsert.', { min: 1, max: MAX_COUNT })),
  searchMaxBatchSize: optional(integer('Most searches of a batch.', { min: 1, max: MAX_COUNT })),
  maxCollectionVectorSizeBytes: optional(
    integer('Largest size of the vectors, in bytes.', { min: 1, max: Number.MAX_SAFE_INTEGER }),
  ),
  maxCollectionPayloadSizeBytes: optional(
    integer('Largest size of the payloads, in bytes.', { min: 1, max: Number.MAX_SAFE_INTEGER }),
  ),
  maxPointsCount: optional(integer('Most points.', { min: 1, max: Number.MAX_SAFE_INTEGER })),
  // Qdrant counts points, not requests, against this limit; 1 refused even the first write (S12).
  readRateLimitPerMinute: optional(integer('Reads per minute and replica.', { min: 2, max: MAX_COUNT })),
  writeRateLimitPerMinute: optional(integer('Points written per minute and replica.', { min: 2, max: MAX_COUNT })),
  filterMaxConditions: optional(integer('Most conditions of a filter.', { min: 1, max: 1_000_000 })),
  conditionMaxSize: optional(integer('Most values of a condition.', { min: 1, max: MAX_COUNT })),
  maxPayloadIndexCount: optional(integer('Most payload indexes.', { min: 0, max: 10_000 })),
});
export type StrictMode = Static<typeof strictMode>;

const only = (field: string, types: readonly string[]): CelRule => ({
  rule: `!has(self.${field}) || self.type in [${types.map((type) => `'${type}'`).join(', ')}]`,
  message: `${field} may only be specified when type is ${types.join(' or ')}`,
  fieldPath: `.${field}`,
});

const payloadIndex = object(
  'An index of a payload field.',
  {
    field: text('Path of the field, e.g. meta.language.', { min: 1, max: 255 }),
    type: choice('Type of its values.', ['keyword', 'integer', 'float', 'bool', 'geo', 'datetime', 'text', 'uuid']),
    onDisk: optional(flag('Whether the index lies on disk.')),
    enableHnsw: optional(flag('Whether HNSW gets extra edges for it; needs Qdrant 1.17 or newer.')),
    isTenant: optional(flag('Whether its values separate tenants (keyword, uuid).')),
    isPrincipal: optional(flag('Whether most filters go by it (integer, float, datetime).')),
    lookup: optional(flag('Whether equality is served (integer).')),
    range: optional(flag('Whether ranges are served (integer).')),
    tokenizer: optional(choice('How text is split (text).', ['word', 'whitespace', 'prefix', 'multilingual'])),
    minTokenLength: optional(integer('Shortest token, in characters (text).', { min: 1, max: 1000 })),
    maxTokenLength: optional(integer('Longest token, in characters (text).', { min: 1, max: 1000 })),
    lowercase: optional(flag('Whether case is ignored (text).')),
    asciiFolding: optional(flag('Whether accents are ignored (text).')),
    phraseMatching: optional(flag('Whether phrases are served (text).')),
  },
  {
    rules: [
      only('isTenant', ['keyword', 'uuid']),
      only('isPrincipal', ['integer', 'float', 'datetime']),
      only('lookup', ['integer']),
      only('range', ['integer']),
      ...['tokenizer', 'minTokenLength', 'maxTokenLength', 'lowercase', 'asciiFolding', 'phraseMatching'].map((field) =>
        only(field, ['text']),
      ),
      {
        rule: '!has(self.minTokenLength) || !has(self.maxTokenLength) || self.minTokenLength <= self.maxTokenLength',
        message: 'minTokenLength must not be greater than maxTokenLength',
        fieldPath: '.minTokenLength',
      },
    ],
  },
);
export type PayloadIndex = Static<typeof payloadIndex>;

export const payloadIndexes = list('Indexes of payload fields. Made and dropped in place.', payloadIndex, {
  max: 64,
  keys: ['field'],
});
