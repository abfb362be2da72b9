import { type Static, Type } from 'typebox';
import { checkedConfig, configValue } from '../migration/index.ts';

/** What the operator tells `worker vectorize`, as JSON. No secret stands in it: keys come from mounted files. */
const text = Type.String({ minLength: 1, maxLength: 2048 });
const count = Type.Integer({ minimum: 1, maximum: 1_000_000_000 });
const large = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
const percent = Type.Integer({ minimum: 0, maximum: 100 });
const globs = Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { maxItems: 64 });

const peer = Type.Object({ name: text, rest: text, grpc: Type.Optional(text) });
const peers = Type.Array(peer, { minItems: 1, maxItems: 256 });

/** Files below `VECTORIZE_DIRECTORIES.documents`: a mounted volume, or a mounted ConfigMap. */
const directory = Type.Object({
  kind: Type.Literal('directory'),
  /** The source's own `path` inside the volume: relative, without `..`; absent: all of it. */
  below: Type.Optional(text),
});

const http = Type.Object({
  kind: Type.Literal('http'),
  urls: Type.Array(text, { minItems: 1, maxItems: 256 }),
  followLinks: Type.Boolean(),
  /** Links deep; 0 follows none. */
  maxDepth: Type.Integer({ minimum: 0, maximum: 16 }),
  /** Whether `authorization` is in the source's directory: the header's value. */
  authorization: Type.Boolean(),
});

const s3 = Type.Object({
  kind: Type.Literal('s3'),
  bucket: text,
  prefix: Type.Optional(Type.String({ maxLength: 512 })),
  endpoint: Type.Optional(text),
  region: text,
  /** Whether `access-key-id` and `secret-access-key` are in the source's directory. */
  credentials: Type.Boolean(),
});

/** Texts of another collection: embedded anew. Its points are documents, named by their ids. */
const collection = Type.Object({
  kind: Type.Literal('collection'),
  collection: text,
  peers,
  /** Whether `api-key` is in the source's directory. */
  apiKey: Type.Boolean(),
  /** Whether `ca.crt` is in the source's directory. */
  ca: Type.Boolean(),
  /** Payload field that holds the text; dots lead into objects. */
  textField: text,
});

const source = Type.Union([directory, http, s3, collection]);
export type SourceConfig = Static<typeof source>;

/**
 * Kinds of source, by the names of `spec.source`, that the worker can read. Any other must be refused by name before a
 * Job is made.
 */
export const BUILT_SOURCES = ['configMap', 'persistentVolumeClaim', 'http', 's3', 'collection'] as const;

/** `Packages`: a document for each package manifest of a directory, made of its name, version, licence and dependencies. */
export const STRATEGIES = ['Markdown', 'Code', 'Tasks', 'Text', 'Packages'] as const;

const chunking = Type.Object({
  strategy: Type.Unsafe<(typeof STRATEGIES)[number]>({ enum: STRATEGIES }),
  maxTokens: Type.Integer({ minimum: 16, maximum: 32_768 }),
  /** Less than maxTokens. */
  overlapTokens: Type.Integer({ minimum: 0, maximum: 8192 }),
});

const PROTOCOLS = ['Ollama', 'OpenAI', 'TEI', 'Gemini'] as const;

/** Fields as in `spec.embedder`; the defaults are filled in by the API server or, where absent, by the client. */
const embedder = Type.Object({
  protocol: Type.Unsafe<(typeof PROTOCOLS)[number]>({ enum: PROTOCOLS }),
  url: text,
  model: text,
  dimensions: Type.Optional(count),
  batchSize: Type.Optional(count),
  maxConcurrency: Type.Optional(count),
  requestsPerMinute: Type.Optional(count),
  tokensPerMinute: Type.Optional(count),
  timeoutSeconds: Type.Optional(count),
  documentPrefix: Type.Optional(Type.String({ maxLength: 512 })),
  queryPrefix: Type.Optional(Type.String({ maxLength: 512 })),
  /** Whether `api-key` is in the embedder's directory. */
  apiKey: Type.Boolean(),
  /** Whether `ca.crt` is in the embedder's directory. */
  ca: Type.Boolean(),
});
export type EmbedderConfig = Static<typeof embedder>;

/**
 * The library. Its binding Secret is mounted (all of its keys), and is the truth about where it is: the worker reads
 * it again when writes are refused or the name is gone.
 */
const target = Type.Object({
  /** Public name: an alias. */
  collection: text,
  /** Name of the vector that is written; absent: the unnamed or only one. */
  vector: Type.Optional(text),
  /** What `uri` in the binding was when `peers` was written. */
  uri: text,
  /** Peers of the cluster at `uri`: used as long as the binding still says `uri`; after a move `uri` of the binding is. */
  peers: Type.Optional(peers),
});
export type TargetConfig = Static<typeof target>;

/** As in `spec.gates`; a gate that is absent isn't asked. */
const gates = Type.Object({
  minSuccessPercent: Type.Optional(percent),
  maxDuplicatePercent: Type.Optional(percent),
  minSelfRecallPercent: Type.Optional(percent),
  /** Whether the ConfigMap of golden queries is mounted. */
  goldenQueries: Type.Boolean(),
});
export type GatesConfig = Static<typeof gates>;

const MODES = ['Incremental', 'Full', 'Verify', 'Repair'] as const;
export type Mode = (typeof MODES)[number];

const config = Type.Object({
  version: Type.Literal(1),
  /** The VectorizationJob. `<namespace>/<name>` is the `source` of its points and part of their ids. */
  job: Type.Object({ uid: text, namespace: text, name: text }),
  /** Tells this run from all others of the job; the same for each pod that goes on with it. */
  run: Type.String({ minLength: 1, maxLength: 128 }),
  /** ConfigMap that the worker may read and patch; made empty by the operator, kept from run to run. */
  progress: Type.Object({ namespace: text, name: text }),
  source,
  /** Patterns of `path.matchesGlob` on a document's path in its source; none: everything. */
  include: globs,
  exclude: globs,
  chunking,
  embedder,
  target,
  mode: Type.Unsafe<Mode>({ enum: MODES }),
  gates,
  /** A run that would delete more than this share of the job's points deletes nothing. */
  deletionGuardPercent: percent,
  /** Money in the currency of the price. */
  budget: Type.Object({
    maxTokens: Type.Optional(large),
    pricePerMillionTokens: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    maxCost: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  }),
  /** Most bytes of a document; default 16 MiB. */
  maxDocumentBytes: Type.Optional(large),
  /** Documents that are cut at a time; default 1. */
  threads: Type.Optional(Type.Integer({ minimum: 1, maximum: 16 })),
  leaseSeconds: count,
  /** How long the embedder, the target or a fence may hold the run up before it ends as Failed; default 900. */
  patienceSeconds: Type.Optional(count),
});
export type VectorizeConfig = Static<typeof config>;

/** Environment variables that name the directories where Secrets and ConfigMaps are mounted. */
export const VECTORIZE_DIRECTORIES = {
  /** The library's binding Secret: `uri`, `collection`, `api-key`, `ca.crt`. Always needed. */
  binding: 'QDRANT_LIBRARIAN_BINDING',
  /** The volume or ConfigMap of a source of kind `directory`. Only variables lead to the place on every ground. */
  documents: 'QDRANT_LIBRARIAN_DOCUMENTS',
  /** `api-key`, `ca.crt`. */
  embedder: 'QDRANT_LIBRARIAN_EMBEDDER_KEYS',
  /** `authorization`; or `access-key-id`, `secret-access-key`; or `api-key`, `ca.crt`: by the kind of source. */
  source: 'QDRANT_LIBRARIAN_SOURCE_KEYS',
  /** Files of JSON or YAML: lists of `{query, document, within}`. */
  goldenQueries: 'QDRANT_LIBRARIAN_GOLDEN_QUERIES',
} as const;

/** The worker's configuration is not what the operator writes. */
export class VectorizeConfigError extends Error {
  override readonly name = 'VectorizeConfigError';
}

/** @throws VectorizeConfigError naming the field and its rule */
export function parseVectorizeConfig(json: string): VectorizeConfig {
  const value = checkedConfig(config, configValue(json, VectorizeConfigError), VectorizeConfigError);
  const { strategy, maxTokens, overlapTokens } = value.chunking;
  if (overlapTokens >= maxTokens) {
    throw new VectorizeConfigError(
      `/chunking/overlapTokens: ${overlapTokens} is not less than maxTokens (${maxTokens})`,
    );
  }
  if (strategy === 'Packages' && value.source.kind !== 'directory') {
    throw new VectorizeConfigError(`/chunking/strategy: Packages needs files, and the source is ${value.source.kind}`);
  }
  return value;
}
