/** Key of the operator's mark in a collection's metadata (since Qdrant 1.16). */
export const MARK_KEY = 'qdrant-librarian';

/** Whose a collection is, and what of it we made: only that may be dropped. */
export type Mark = {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  /** Payload indexes that we made. */
  readonly indexes?: readonly string[];
  /** Aliases besides the library's own that we made. */
  readonly aliases?: readonly string[];
  readonly fence?: Fence;
  /** Strict mode of the generation before, which this one gets after the switch. */
  readonly limits?: Readonly<Record<string, unknown>>;
};

/** Writes are held back since `at` (milliseconds since the epoch). */
export type Fence = {
  readonly nonce: string;
  readonly at: number;
  /** Whether strict mode was on before, its write limit, and how many replicas had to take a write: for lifting it. */
  readonly before: {
    readonly enabled: boolean;
    readonly writeRateLimit?: number;
    readonly writeConsistencyFactor?: number;
  };
};

/** Tokens per minute; the limiter hands out the first one after 60 s (measured, section 11). */
const FENCED_WRITES_PER_MINUTE = 1;
/** After this the limiter lets a point through: a fence is worth nothing any more. */
export const FENCE_HOLDS_SECONDS = 60;
/**
 * More than there are. Replicas have limiters of their own: a write that one takes and another refuses would be
 * acknowledged, and the other one marked Dead and recovered, or left without it where nobody waits (measured).
 */
const EVERY_REPLICA = 100;
/** A limit can't be unset by PATCH: this one is never reached. */
const UNLIMITED = 1_000_000_000;

export type StrictModePatch = { readonly enabled: boolean; readonly write_rate_limit?: number };
export type FencePatch = {
  readonly params?: { readonly write_consistency_factor: number };
  readonly strict_mode_config: StrictModePatch;
  readonly metadata: { readonly [MARK_KEY]: Mark };
};

/** Refuses every write with 429 and Retry-After for 60 s, and tells the worker by the same consensus entry. */
export const fencePatch = (mark: Mark, fence: Fence): FencePatch => ({
  params: { write_consistency_factor: EVERY_REPLICA },
  strict_mode_config: { enabled: true, write_rate_limit: FENCED_WRITES_PER_MINUTE },
  metadata: { [MARK_KEY]: { ...mark, fence } },
});

/** Gives back the strict mode from before the fence. */
export function unfencePatch({ fence, ...mark }: Mark): FencePatch {
  const before = fence?.before ?? { enabled: false };
  const factor = fence?.before.writeConsistencyFactor;
  return {
    ...(factor === undefined ? {} : { params: { write_consistency_factor: factor } }),
    strict_mode_config: { enabled: before.enabled, write_rate_limit: before.writeRateLimit ?? UNLIMITED },
    metadata: { [MARK_KEY]: mark },
  };
}

/** Lets the one worker write that keeps what a move has left in step; the fence in the mark stays as it is. */
export const OPEN_PATCH: Pick<FencePatch, 'strict_mode_config'> = {
  strict_mode_config: { enabled: false, write_rate_limit: UNLIMITED },
};
/** And closes it again. */
export const CLOSE_PATCH: Pick<FencePatch, 'strict_mode_config'> = {
  strict_mode_config: { enabled: true, write_rate_limit: FENCED_WRITES_PER_MINUTE },
};

/** The mark in a collection's metadata; undefined where there is none or it is not ours to read. */
export function parseMark(metadata: unknown): Mark | undefined {
  const mark = isRecord(metadata) ? metadata[MARK_KEY] : undefined;
  if (!isRecord(mark)) return undefined;
  const { uid, namespace, name, generation, indexes, aliases, fence, limits } = mark;
  if (typeof uid !== 'string' || typeof namespace !== 'string' || typeof name !== 'string') return undefined;
  if (typeof generation !== 'number') return undefined;
  const parsed = parseFence(fence);
  return {
    uid,
    namespace,
    name,
    generation,
    ...(isTexts(indexes) ? { indexes } : {}),
    ...(isTexts(aliases) ? { aliases } : {}),
    ...(parsed === undefined ? {} : { fence: parsed }),
    ...(isRecord(limits) ? { limits } : {}),
  };
}

function parseFence(fence: unknown): Fence | undefined {
  if (!isRecord(fence) || typeof fence['nonce'] !== 'string' || typeof fence['at'] !== 'number') return undefined;
  const before = isRecord(fence['before']) ? fence['before'] : {};
  const limit = before['writeRateLimit'];
  const factor = before['writeConsistencyFactor'];
  return {
    nonce: fence['nonce'],
    at: fence['at'],
    before: {
      enabled: before['enabled'] === true,
      ...(typeof limit === 'number' ? { writeRateLimit: limit } : {}),
      ...(typeof factor === 'number' ? { writeConsistencyFactor: factor } : {}),
    },
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
