import { hash } from 'node:crypto';
import type { Json, JsonObject, Payload, Point, PointId } from '../../qdrant/index.ts';
import type { Chunk } from '../document.ts';
import { type CacheScope, cacheKey } from '../embed/index.ts';
import type { Content } from '../source/source.ts';

/** Field of the payload that is ours alone. */
export const MARK_FIELD = '_librarian';
/** Fields that are looked for: the worker makes a keyword index of each. */
export const INDEXED_FIELDS = ['source', 'document', `${MARK_FIELD}.hash`] as const;

/** What a point tells of where it comes from. */
export type PointMark = {
  /** `uid` of the VectorizationJob that wrote it. */
  readonly job: string;
  /** Of all that its vector depends on: the text, normalised, the model, its dimensions, the prefix. */
  readonly hash: string;
  /** Of all that the document's points depend on: its bytes, how it is cut, and the scope of its vectors. */
  readonly revision: string;
  /** How many points the document has at that revision. */
  readonly chunks: number;
  /** The source's own word for the content, where it has one. */
  readonly validator?: string;
};

/** A point that is there, as far as its mark goes. */
export type Known = { readonly id: PointId; readonly document: string; readonly mark: PointMark };

/** A point as it must be. */
export type Expected = {
  readonly id: PointId;
  readonly document: string;
  readonly text: string;
  readonly tokens: number;
  readonly mark: PointMark;
  readonly payload: Payload;
};

/** What is the same for all documents of a run. */
export type Making = {
  readonly job: string;
  readonly source: string;
  readonly scope: CacheScope;
  /** Of the way documents are cut and embedded. */
  readonly settings: string;
};

/** Changes whenever the same bytes give other points. */
const FORM = 1;
const SETTINGS_DIGITS = 12;

export const settingsDigest = (settings: object): string =>
  hash('sha256', JSON.stringify([FORM, settings])).slice(0, SETTINGS_DIGITS);

export function revisionOf({ bytes, payload, id }: Content, { settings }: Pick<Making, 'settings'>): string {
  const content = hash('sha256', bytes);
  const more = payload === undefined && id === undefined ? '' : hash('sha256', canonical({ payload, id: String(id) }));
  return `${settings}-${hash('sha256', content + more).slice(0, 32)}`;
}

/** Whether a document was cut and embedded as it would be now; its content may be another. */
export const hasSettings = ({ revision }: PointMark, { settings }: Pick<Making, 'settings'>): boolean =>
  revision.startsWith(`${settings}-`);

/** The points of a document. */
export function expectedPoints(content: Content, chunks: readonly Chunk[], making: Making): Expected[] {
  const { job, source, scope } = making;
  const revision = revisionOf(content, making);
  return chunks.map((chunk, index) => {
    const { document, address, text, tokens, metadata } = chunk;
    const mark: PointMark = {
      job,
      hash: cacheKey(scope, chunk.hash),
      revision,
      chunks: chunks.length,
      ...(content.validator === undefined ? {} : { validator: content.validator }),
    };
    const own = { text, document, source, address, [MARK_FIELD]: mark };
    const payload = { ...content.payload, ...(metadata as JsonObject), ...own };
    return { id: index === 0 ? (content.id ?? chunk.id) : chunk.id, document, text, tokens, mark, payload };
  });
}

/** @returns undefined for a point that this product did not write */
export function knownOf({ id, payload }: Pick<Point, 'id' | 'payload'>): Known | undefined {
  const { document, [MARK_FIELD]: mark } = payload;
  if (typeof document !== 'string' || !isObject(mark)) return undefined;
  const { job, hash: ofVector, revision, chunks, validator } = mark;
  if (typeof job !== 'string' || typeof ofVector !== 'string' || typeof revision !== 'string') return undefined;
  if (typeof chunks !== 'number') return undefined;
  const told = typeof validator === 'string' ? { validator } : {};
  return { id, document, mark: { job, hash: ofVector, revision, chunks, ...told } };
}

/** Whether two payloads are the same JSON, whatever the order of their fields. */
export const samePayload = (a: Payload, b: Payload): boolean => canonical(a) === canonical(b);

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === 'bigint') return String(inner);
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('toJSON' in value);
