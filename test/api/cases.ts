import { cluster, externalCluster, library, policy, vectorization } from './objects.ts';

/** One rule with objects that keep it and objects that break it, each with the field and the words of the refusal. */
export type Case = {
  readonly rule: string;
  readonly good: readonly unknown[];
  readonly bad: readonly (readonly [object: unknown, field: string, message: RegExp])[];
};

const vector = (name: string) => ({ name, size: 4 });
const index = (fields: object) => library({ payloadIndexes: [{ field: 'a', type: 'keyword', ...fields }] });
const source = (fields: object) => vectorization({ source: fields });
const owned = (config: object) => cluster({ config });

/** Every rule of the four kinds: what `validate` says here, a server says, too. */
export const CASES: readonly Case[] = [
  {
    rule: 'a managed cluster needs a version and a size',
    good: [cluster(), externalCluster()],
    bad: [
      [cluster({ version: undefined }), 'spec.version', /must be specified unless external is set/],
      [cluster({ size: undefined }), 'spec.size', /must be specified unless external is set/],
    ],
  },
  {
    rule: 'an external cluster has no field of a managed one',
    good: [externalCluster({ rebalanceStrategy: 'by_size', limits: { maxCollections: 9 }, suspend: true })],
    bad: [
      ...Object.entries({
        version: '1.18.3',
        image: {},
        size: 1,
        resources: {},
        persistence: {},
        snapshotPersistence: {},
        config: {},
        apiKey: { generate: true },
        readOnlyApiKey: { generate: true },
        keyRotation: { intervalDays: 30 },
        jwtRbac: true,
        tls: { secretName: 'tls' },
        service: {},
        affinity: {},
        tolerations: [],
        nodeSelector: {},
        topologySpreadConstraints: [],
        priorityClassName: 'high',
        podDisruptionBudget: {},
        networkPolicy: {},
        metrics: {},
      }).map(
        ([field, value]) =>
          [externalCluster({ [field]: value }), `spec.${field}`, /may not be specified when external/] as const,
      ),
      [externalCluster({ deletionPolicy: 'Delete' }), 'spec.deletionPolicy', /must be Retain when external is set/],
    ],
  },
  {
    rule: 'a key is generated or comes from a Secret',
    good: [
      cluster({ apiKey: { generate: true } }),
      cluster({ apiKey: { secretKeyRef: { name: 'k' } }, readOnlyApiKey: { secretKeyRef: { name: 'k', key: 'r' } } }),
    ],
    bad: [
      [cluster({ apiKey: {} }), 'spec.apiKey', /exactly one of/],
      [cluster({ apiKey: { generate: false } }), 'spec.apiKey', /exactly one of/],
      [
        cluster({ readOnlyApiKey: { generate: true, secretKeyRef: { name: 'k' } } }),
        'spec.readOnlyApiKey',
        /exactly one of/,
      ],
    ],
  },
  {
    rule: 'only generated keys are rotated',
    good: [cluster({ keyRotation: { intervalDays: 30 } })],
    bad: [
      [
        cluster({ keyRotation: { intervalDays: 30 }, apiKey: { secretKeyRef: { name: 'k' } } }),
        'spec.keyRotation',
        /only generated keys/,
      ],
    ],
  },
  {
    rule: "Qdrant's configuration passes, except keys that the operator owns",
    good: [
      owned({
        log_level: 'INFO',
        storage: { performance: { max_search_threads: 4 } },
        service: { max_request_size_mb: 64 },
      }),
      owned({ cluster: { consensus: { tick_period_ms: 200 } } }),
    ],
    bad: [
      [owned({ cluster: { enabled: false } }), 'spec.config.cluster.enabled', /cluster.enabled may not be specified/],
      [owned({ cluster: { peer_id: 7 } }), 'spec.config.cluster.peer_id', /cluster.peer_id/],
      [owned({ cluster: { p2p: { port: 1 } } }), 'spec.config.cluster.p2p', /spec.tls.p2p/],
      [owned({ service: { host: '::' } }), 'spec.config.service.host', /service.host/],
      [owned({ service: { http_port: 1 } }), 'spec.config.service.http_port', /service.http_port/],
      [owned({ service: { grpc_port: 1 } }), 'spec.config.service.grpc_port', /service.grpc_port/],
      [owned({ service: { api_key: 'x' } }), 'spec.config.service.api_key', /use spec.apiKey/],
      [owned({ service: { alt_api_key: 'x' } }), 'spec.config.service.alt_api_key', /use spec.keyRotation/],
      [
        owned({ service: { read_only_api_key: 'x' } }),
        'spec.config.service.read_only_api_key',
        /use spec.readOnlyApiKey/,
      ],
      [owned({ service: { jwt_rbac: true } }), 'spec.config.service.jwt_rbac', /use spec.jwtRbac/],
      [owned({ service: { enable_tls: true } }), 'spec.config.service.enable_tls', /use spec.tls/],
      [
        owned({ service: { verify_https_client_certificate: true } }),
        'spec.config.service.verify_https_client_certificate',
        /use spec.tls/,
      ],
      [owned({ storage: { storage_path: '/x' } }), 'spec.config.storage.storage_path', /owns paths/],
      [owned({ storage: { snapshots_path: '/x' } }), 'spec.config.storage.snapshots_path', /owns paths/],
      [owned({ tls: { cert: 'x' } }), 'spec.config.tls', /use spec.tls/],
    ],
  },
  {
    rule: 'a volume has a size greater than nothing',
    good: [cluster({ persistence: { size: '1.5Ti' } }), cluster({ snapshotPersistence: { size: '100G' } })],
    bad: [[cluster({ persistence: { size: '0' } }), 'spec.persistence.size', /must be greater than 0/]],
  },
  {
    rule: 'names fit what is made of them',
    good: [cluster({}, 'a'.repeat(50)), library({}, '2024-notes')],
    bad: [
      [cluster({}, 'a'.repeat(51)), 'metadata', /at most 50 characters/],
      [cluster({}, '1st'), 'metadata', /begins with a letter/],
      [cluster({}, 'a.b'), 'metadata', /DNS label/],
      [library({}, 'a'.repeat(51)), 'metadata', /at most 50 characters/],
    ],
  },
  {
    rule: 'no library bears the name of a generation',
    good: [
      library({ collection: 'guides--gx' }),
      library({ collection: 'Ünïcode name' }),
      library({ collection: 'guides' }, 'guides--g1'),
    ],
    bad: [
      [library({ collection: 'guides--g12' }), 'spec.collection', /--g<number>/],
      [library({}, 'guides--g1'), 'metadata', /--g<number>/],
    ],
  },
  {
    rule: 'a library is pinned or placed',
    good: [library(), library({ placement: { clusterSelector: {} } })],
    bad: [
      [library({ placement: {} }), 'spec.placement', /exactly one of/],
      [library({ placement: { clusterRef: { name: 'a' }, clusterSelector: {} } }), 'spec.placement', /exactly one of/],
    ],
  },
  {
    rule: 'without a profile a library must say its vectors',
    good: [
      library({ profile: 'Custom', vectors: [vector('')] }),
      library({ profile: 'Custom', sparseVectors: [{ name: 'words' }] }),
      library({ profile: 'Custom', adopt: true }),
    ],
    bad: [[library({ profile: 'Custom' }), 'spec', /vectors or sparseVectors must be specified/]],
  },
  {
    rule: 'vectors have names that differ, or one has none',
    good: [library({ vectors: [vector('a'), vector('b')], sparseVectors: [{ name: 'c' }] })],
    bad: [
      [library({ vectors: [vector(''), vector('b')] }), 'spec.vectors', /must be the only one/],
      [library({ sparseVectors: [{ name: '' }] }), 'spec.sparseVectors[0]', /must have a name/],
      [
        library({ vectors: [vector('a')], sparseVectors: [{ name: 'a' }] }),
        'spec.sparseVectors',
        /must not have the same name/,
      ],
      [library({ vectors: [vector('a'), vector('a')] }), 'spec.vectors[1]', /Duplicate value/],
    ],
  },
  {
    rule: 'the storage type of a vector is one that Qdrant survives (S1)',
    good: ['float32', 'uint8', 'float16'].map((datatype) => library({ vectors: [{ ...vector(''), datatype }] })),
    bad: [
      [library({ vectors: [{ ...vector(''), datatype: 'turbo4' }] }), 'spec.vectors[0].datatype', /supported values/],
    ],
  },
  {
    rule: 'there is one kind of quantization',
    good: [
      library({ quantization: { disabled: true } }),
      library({ quantization: { scalar: { quantilePercent: 99 } } }),
      library({ vectors: [{ ...vector(''), quantization: { product: { compression: 'x16' } } }] }),
      library({ quantization: { turbo: { bits: 'bits4' } } }),
    ],
    bad: [
      [library({ quantization: {} }), 'spec.quantization', /exactly one of/],
      [library({ quantization: { disabled: false } }), 'spec.quantization', /exactly one of/],
      [library({ quantization: { scalar: {}, binary: {} } }), 'spec.quantization', /exactly one of/],
    ],
  },
  {
    rule: 'a write is confirmed by copies that exist',
    good: [library({ shards: { replicationFactor: 3, writeConsistencyFactor: 3 } })],
    bad: [
      [
        library({ shards: { replicationFactor: 2, writeConsistencyFactor: 3 } }),
        'spec.shards.writeConsistencyFactor',
        /must not be greater than replicationFactor/,
      ],
    ],
  },
  {
    rule: 'options of an index fit its type',
    good: [
      index({ isTenant: true }),
      index({ type: 'integer', lookup: true, range: false, isPrincipal: true }),
      index({ type: 'text', tokenizer: 'word', minTokenLength: 2, maxTokenLength: 20, lowercase: true }),
    ],
    bad: [
      [index({ lookup: true }), 'spec.payloadIndexes[0].lookup', /only be specified when type is integer/],
      [index({ range: true }), 'spec.payloadIndexes[0].range', /type is integer/],
      [index({ isPrincipal: true }), 'spec.payloadIndexes[0].isPrincipal', /integer or float or datetime/],
      [index({ type: 'geo', isTenant: true }), 'spec.payloadIndexes[0].isTenant', /keyword or uuid/],
      ...['tokenizer', 'minTokenLength', 'maxTokenLength', 'lowercase', 'asciiFolding', 'phraseMatching'].map(
        (field) => {
          const value = field === 'tokenizer' ? 'word' : field.endsWith('Length') ? 3 : true;
          return [index({ [field]: value }), `spec.payloadIndexes[0].${field}`, /type is text/] as const;
        },
      ),
      [
        index({ type: 'text', minTokenLength: 9, maxTokenLength: 3 }),
        'spec.payloadIndexes[0].minTokenLength',
        /must not be greater than maxTokenLength/,
      ],
    ],
  },
  {
    rule: 'an alias is another name',
    good: [library({ collection: 'guides', aliases: ['manuals'] })],
    bad: [[library({ collection: 'guides', aliases: ['guides'] }), 'spec.aliases', /must not contain the collection/]],
  },
  {
    rule: 'a bucket is named where snapshots go to s3, and only there',
    good: [
      library({ snapshots: { schedule: '@daily' } }),
      library({ snapshots: { schedule: '0 3 * * *', destination: { type: 's3', s3: { bucket: 'backups' } } } }),
    ],
    bad: [
      [
        library({ snapshots: { schedule: '@daily', destination: { type: 's3' } } }),
        'spec.snapshots.destination',
        /s3 must be set/,
      ],
      [
        library({ snapshots: { schedule: '@daily', destination: { s3: { bucket: 'backups' } } } }),
        'spec.snapshots.destination',
        /s3 must be set/,
      ],
    ],
  },
  {
    rule: 'a rollback has one goal',
    good: [library({ rollback: { toGeneration: 0 } }), library({ rollback: { toSnapshot: 'guides-2026' } })],
    bad: [
      [library({ rollback: {} }), 'spec.rollback', /exactly one of/],
      [library({ rollback: { toGeneration: 0, toSnapshot: 'x' } }), 'spec.rollback', /exactly one of/],
    ],
  },
  {
    rule: 'no more moves run than a plan has',
    good: [policy(), policy({ budget: { maxMoves: 2, maxConcurrentMoves: 2 } })],
    bad: [
      [
        policy({ budget: { maxMoves: 1, maxConcurrentMoves: 2 } }),
        'spec.budget.maxConcurrentMoves',
        /must not be greater than maxMoves/,
      ],
    ],
  },
  {
    rule: 'documents have one source',
    good: [
      vectorization(),
      source({ git: { url: 'git@github.com:a/b.git', ref: 'main', path: 'docs/en' } }),
      source({ git: { url: 'https://example.org/a.git' } }),
      source({ http: { urls: ['https://example.org/docs'] } }),
      source({ s3: { bucket: 'texts' } }),
      source({ persistentVolumeClaim: { claimName: 'texts' } }),
      source({ collection: { clusterRef: { name: 'docs' }, name: 'old', textField: 'text' } }),
    ],
    bad: [
      [source({}), 'spec.source', /exactly one of git, http/],
      [source({ configMap: { name: 'a' }, s3: { bucket: 'texts' } }), 'spec.source', /exactly one of/],
      [
        source({ git: { url: 'https://example.org/a.git', path: '../etc' } }),
        'spec.source.git.path',
        /must not contain '..'/,
      ],
      [
        source({ persistentVolumeClaim: { claimName: 'texts', path: '/etc' } }),
        'spec.source.persistentVolumeClaim.path',
        /must be relative/,
      ],
      [
        source({ git: { url: 'https://example.org/a.git', ref: '--upload-pack=x' } }),
        'spec.source.git.ref',
        /should match/,
      ],
    ],
  },
  {
    rule: 'a chunk is longer than what it repeats',
    good: [vectorization({ chunking: { maxTokens: 100, overlapTokens: 99 } })],
    bad: [
      [
        vectorization({ chunking: { maxTokens: 100, overlapTokens: 100 } }),
        'spec.chunking.overlapTokens',
        /must be less than maxTokens/,
      ],
    ],
  },
];
