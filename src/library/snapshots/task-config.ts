import { type Static, Type } from 'typebox';
import { checkedConfig, configValue, sideSchema } from '../../migration/index.ts';
import { manifestSchema, placeSchema } from './manifest.ts';

const text = Type.String({ minLength: 1, maxLength: 2048 });
const count = Type.Integer({ minimum: 0, maximum: 1_000_000_000 });

const bucket = Type.Object({
  ...placeSchema.properties,
  /** Whether `access-key-id` and `secret-access-key` are mounted; else the pod's own identity is used. */
  credentials: Type.Boolean(),
});
export type BucketConfig = Static<typeof bucket>;

const common = {
  version: Type.Literal(1),
  /** Progress of another change is no progress of this one. */
  change: text,
  progress: Type.Object({ namespace: text, name: text }),
  leaseSeconds: Type.Integer({ minimum: 1, maximum: 3600 }),
  pageSize: Type.Integer({ minimum: 1, maximum: 10_000 }),
  library: Type.Object({ namespace: text, name: text, uid: text }),
  /** The cluster, and the collection that is read or made. */
  side: sideSchema,
  bucket: Type.Optional(bucket),
};

const localPart = Type.Object({ collection: text, shard: count, peer: text, file: text });
export type LocalPart = Static<typeof localPart>;

const snapshot = Type.Object({
  ...common,
  task: Type.Literal('snapshot'),
  /** Name of the one that is made; none: only what is listed below is dropped. */
  make: Type.Optional(Type.Object({ name: text, cluster: text, alias: text, generation: count, attempt: count })),
  /** What is dropped once this one is made: of local snapshots these files, of those in the bucket all. */
  drop: Type.Array(Type.Object({ name: text, parts: Type.Optional(Type.Array(localPart, { maxItems: 4096 })) }), {
    maxItems: 1000,
  }),
});
export type SnapshotConfig = Static<typeof snapshot>;

const restore = Type.Object({
  ...common,
  task: Type.Literal('restore'),
  name: text,
  /** The operator's mark of the collection that is made. */
  mark: Type.Record(Type.String(), Type.Unknown()),
  /** Of a local snapshot; one in a bucket has its own there. */
  manifest: Type.Optional(manifestSchema),
  /** The present ones: the cluster may have another size than when the snapshot was made. */
  replicationFactor: Type.Integer({ minimum: 1, maximum: 100 }),
  writeConsistencyFactor: Type.Integer({ minimum: 1, maximum: 100 }),
});
export type RestoreConfig = Static<typeof restore>;

export type TaskConfig = SnapshotConfig | RestoreConfig;

/** Directory, given by an environment variable, that holds `api-key` and `ca.crt` of the cluster. */
export const CLUSTER_KEYS = 'QDRANT_LIBRARIAN_CLUSTER_KEYS';
/** Directory, given by an environment variable, that holds the credentials of the bucket. */
export const BUCKET_KEYS = 'QDRANT_LIBRARIAN_BUCKET_KEYS';
export const ACCESS_KEY_FILE = 'access-key-id';
export const SECRET_KEY_FILE = 'secret-access-key';

/** @throws ConfigError naming the field and its rule */
export function parseTaskConfig(json: string): TaskConfig {
  const value = configValue(json);
  const isRestore = (value as { task?: unknown } | null)?.task === 'restore';
  return isRestore ? checkedConfig(restore, value) : checkedConfig(snapshot, value);
}
