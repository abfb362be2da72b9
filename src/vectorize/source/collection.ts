import { sideState, unreadable } from '../../migration/index.ts';
import { type ClusterClient, isQdrantError, type Json, type Payload, type Point } from '../../qdrant/index.ts';
import type { Selection } from './selection.ts';
import { type Entry, type Listing, Problems, ReadError, type Source, SourceError } from './source.ts';

export type CollectionOptions = {
  readonly client: ClusterClient;
  readonly collection: string;
  /** Dots lead into objects. */
  readonly textField: string;
  readonly selection: Selection;
};

const PAGE = 256;

/** Texts of another collection's points: each a document named by its point's id, which its first point keeps. */
export function collectionSource({ client, collection, textField, selection }: CollectionOptions): Source {
  const list = async (signal: AbortSignal): Promise<Listing> => {
    const problems = new Problems();
    // A shard that nobody can read is left out of a scroll without a word (S2): hence before and after.
    await noteUnreadable(client, collection, problems);
    async function* entries(): AsyncGenerator<Entry, void, undefined> {
      try {
        for await (const page of client.scrollPages(collection, { limit: PAGE, signal })) {
          for (const point of page) if (selection.wants(String(point.id))) yield entryOf(point, textField);
        }
      } catch (error) {
        throw sourceError(error);
      }
      await noteUnreadable(client, collection, problems);
    }
    try {
      const total = await client.count(collection, { signal });
      return { entries: entries(), total, end: () => problems.end() };
    } catch (error) {
      throw sourceError(error);
    }
  };
  return {
    list,
    read: async ({ path, content, failure }, { maxBytes }) => {
      if (content === undefined) throw failure ?? new ReadError('Unreadable', `${path} is no point`);
      if (content.bytes.length <= maxBytes) return content;
      throw new ReadError('TooLarge', `${path} has ${content.bytes.length} bytes, more than ${maxBytes}`);
    },
    close: () => client.close(),
  };
}

function entryOf({ id, payload }: Point, field: string): Entry {
  const path = String(id);
  const text = textAt(payload, field);
  if (text !== undefined) return { path, content: { bytes: Buffer.from(text), mediaType: 'text/plain', payload, id } };
  return { path, failure: new ReadError('Unreadable', `${path} has no text in ${field}`) };
}

/** A field by its whole name, or by the way through objects. */
function textAt(payload: Payload, field: string): string | undefined {
  const direct = payload[field];
  if (typeof direct === 'string') return direct;
  let value: Json | undefined = payload;
  for (const name of field.split('.')) value = isObject(value) ? value[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

const isObject = (value: Json | undefined): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

async function noteUnreadable(client: ClusterClient, collection: string, problems: Problems): Promise<void> {
  const missing = unreadable(await sideState(client, collection));
  if (missing !== undefined) problems.add(`collection ${collection}: ${missing}`);
}

function sourceError(error: unknown): unknown {
  if (isQdrantError(error, 'NotFound')) return new SourceError('SourceMissing', error.message);
  if (isQdrantError(error, 'Unauthorized') || isQdrantError(error, 'Forbidden')) {
    return new SourceError('SourceUnauthorized', error.message);
  }
  return isQdrantError(error) ? new SourceError('SourceUnreachable', error.message) : error;
}
