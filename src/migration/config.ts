import { type Static, Type } from 'typebox';
import type { EngineWish } from './engine-choice.ts';
import { ConfigError, checkedConfig, configValue } from './worker-json.ts';

export { ConfigError };

/** What the operator tells a copy worker. No secret stands in it: keys come from mounted files. */
const text = Type.String({ minLength: 1, maxLength: 2048 });
const count = Type.Integer({ minimum: 1, maximum: 1_000_000_000 });

const peer = Type.Object({ name: text, rest: text, grpc: Type.Optional(text) });

export const sideSchema = Type.Object({
  collection: text,
  peers: Type.Array(peer, { minItems: 1, maxItems: 256 }),
  /** Whether an API key is mounted for this side. */
  apiKey: Type.Boolean(),
  /** Whether a CA certificate is mounted for this side. */
  ca: Type.Boolean(),
});
export type SideConfig = Static<typeof sideSchema>;

const rule = Type.Object({
  drop: Type.Optional(Type.Boolean()),
  normalize: Type.Optional(Type.Boolean()),
  float16: Type.Optional(Type.Boolean()),
});

export const projectionSchema = Type.Object({
  vectors: Type.Record(Type.String(), rule),
  keepShardKeys: Type.Boolean(),
});

const config = Type.Object({
  version: Type.Literal(1),
  /** `<uid>/<generation>`. */
  change: text,
  alias: text,
  progress: Type.Object({ namespace: text, name: text }),
  source: sideSchema,
  target: sideSchema,
  projection: projectionSchema,
  /** The target was filled before: it is compared at once, and nothing is copied blindly. */
  again: Type.Optional(Type.Boolean()),
  /** How the bulk of the data is to travel; by scrolling where nothing is said. */
  engine: Type.Optional(
    Type.Object({
      wish: Type.Unsafe<Exclude<EngineWish, 'DualWrite'>>({ enum: ['Auto', 'ShardSnapshot', 'Scroll'] }),
      /** Why points are to be scrolled. */
      reason: Type.Optional(text),
      /** Why nobody knows whether the target's disks have room; absent: they have. */
      room: Type.Optional(text),
    }),
  ),
  /** What is read under the fence; what has changed where nothing is said. */
  verify: Type.Optional(Type.Unsafe<'Changed' | 'Full'>({ enum: ['Changed', 'Full'] })),
  maxFreezeSeconds: count,
  leaseSeconds: count,
  lanes: count,
  pageSize: count,
  /** Where Qdrant's strict mode bounds how many points may be asked for at a time. */
  listSize: Type.Optional(count),
});
export type WorkerConfig = Static<typeof config>;

/** Directories, given by environment variables, that hold `api-key` and `ca.crt` of each side. */
export const KEY_DIRECTORIES = {
  source: 'QDRANT_LIBRARIAN_SOURCE_KEYS',
  target: 'QDRANT_LIBRARIAN_TARGET_KEYS',
} as const;
export const API_KEY_FILE = 'api-key';
export const CA_FILE = 'ca.crt';

/** @throws ConfigError naming the field and its rule */
export const parseConfig = (json: string): WorkerConfig => checkedConfig(config, configValue(json));
