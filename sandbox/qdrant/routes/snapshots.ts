import { createReadStream, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../base/errors.ts';
import { type JsonObject, maybeString, stringOf } from '../base/json.ts';
import type { Engine } from '../engine.ts';
import { archiveFrames, readArchive } from '../snapshots/archive.ts';
import { fetchArchive } from '../snapshots/fetch.ts';
import { snapshotPart } from '../snapshots/multipart.ts';
import { type Priority, recoverCollection, recoverShard } from '../snapshots/recover.ts';
import {
  deleteSnapshot,
  listSnapshots,
  type SnapshotDescription,
  saveSnapshot,
  sha256,
  snapshotPath,
  timeStamp,
} from '../snapshots/store.ts';
import type { CollectionState } from '../state/types.ts';
import { accepted, PlainAnswer, plainText, type Request, type Route } from './router.ts';

const ONE = '/collections/{collection_name}';
const SHARD = `${ONE}/shards/{shard}`;
const MAX_UPLOAD_BYTES = 2 ** 31;
const PRIORITIES: readonly Priority[] = ['no_sync', 'snapshot', 'replica'];

const collectionOf = (request: Request): CollectionState =>
  request.engine.collection(request.parameter('collection_name'));
const isShard = (request: Request): boolean => request.parameters.shard !== undefined;

function directoryOf(request: Request): string {
  const { name, shards } = collectionOf(request);
  const root = join(request.engine.settings.snapshotsPath, name);
  if (!isShard(request)) return root;
  const id = Number(request.parameter('shard'));
  if (!Number.isInteger(id)) throw new EngineError('Path', `can not parse "${request.parameter('shard')}" to a u32`);
  if (!shards.some((shard) => shard.id === id))
    throw new EngineError('NotFound', `shard ${request.parameter('shard')} not found`);
  return join(root, 'shards', String(id));
}

/** Answers after the work, or with `wait=false` at once: then nobody learns how it ended. */
async function waited(request: Request, work: () => Promise<unknown>): Promise<unknown> {
  if (request.flag('wait', true)) return await work();
  work().catch((error: unknown) => {
    process.stderr.write(`snapshot operation failed: ${error instanceof Error ? error.message : String(error)}\n`);
  });
  return accepted();
}

async function counted<T>(
  engine: Engine,
  collection: string,
  what: 'creating' | 'recovering',
  work: () => Promise<T> | T,
): Promise<T> {
  const { state } = engine.consensus;
  const key = state.collections[state.aliases[collection] ?? collection]?.uuid ?? collection;
  const counts = engine.snapshotCounters.get(key) ?? { creating: 0, recovering: 0, created: 0 };
  engine.snapshotCounters.set(key, counts);
  counts[what] += 1;
  try {
    return await work();
  } finally {
    counts[what] -= 1;
  }
}

function localShards(engine: Engine, collection: CollectionState) {
  return collection.shards.flatMap(({ id }) => {
    const shard = engine.shards.get(collection.uuid, id);
    return shard ? [{ id, shard }] : [];
  });
}

function create(request: Request): Promise<unknown> {
  const { engine } = request;
  const collection = collectionOf(request);
  const directory = directoryOf(request);
  return waited(request, () =>
    counted(engine, collection.name, 'creating', (): SnapshotDescription => {
      const kind = isShard(request) ? 'shard' : 'collection';
      const shards = isShard(request) ? [localShard(request, collection)] : localShards(engine, collection);
      const owner = kind === 'shard' ? `shard-${request.parameter('shard')}` : String(engine.peerId);
      const name = `${collection.name}-${owner}-${timeStamp(new Date())}.snapshot`;
      const bytes = Buffer.concat([...archiveFrames(collection, { kind, shards })]);
      const counts = engine.snapshotCounters.get(collection.uuid);
      if (counts) counts.created += 1;
      return saveSnapshot(directory, name, bytes);
    }),
  );
}

function localShard(request: Request, collection: CollectionState) {
  const id = Number(request.parameter('shard'));
  const shard = request.engine.shards.get(collection.uuid, id);
  if (!shard) throw new EngineError('BadRequest', `Shard ${id} is not a local or queue proxy shard`);
  return { id, shard };
}

function remove(request: Request): Promise<unknown> {
  const directory = directoryOf(request);
  return waited(request, async () => {
    const snapshot = request.parameter('snapshot_name');
    const path = join(directory, snapshot);
    if (isShard(request) && !existsSync(path)) throw new EngineError('NotFound', `Snapshot "${path}" not found`);
    deleteSnapshot(directory, snapshot);
    return await Promise.resolve(true);
  });
}

async function download(request: Request): Promise<PlainAnswer> {
  const { response } = request;
  let path: string;
  try {
    path = snapshotPath(directoryOf(request), request.parameter('snapshot_name'));
  } catch (error) {
    // Downloads answer errors as text.
    if (error instanceof EngineError) return plainText(error.status, error.message);
    throw error;
  }
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': statSync(path).size,
    ...attachment(request.parameter('snapshot_name')),
  });
  await pipeline(createReadStream(path), response);
  return new PlainAnswer({ kind: 'sent' });
}

const attachment = (name: string): Record<string, string> => ({
  'content-disposition': `attachment; filename="${name}"`,
});

async function stream(request: Request): Promise<PlainAnswer> {
  const collection = collectionOf(request);
  const { response } = request;
  let shard: ReturnType<typeof localShard>;
  try {
    shard = localShard(request, collection);
  } catch (error) {
    if (error instanceof EngineError) return plainText(error.status, error.description);
    throw error;
  }
  const name = `${collection.name}-shard-${shard.id}-${timeStamp(new Date())}.snapshot`;
  response.writeHead(200, { 'content-type': 'application/octet-stream', ...attachment(name) });
  await pipeline(archiveFrames(collection, { kind: 'shard', shards: [shard] }), response);
  return new PlainAnswer({ kind: 'sent' });
}

function priorityOf(given: string | null | undefined): Priority {
  const priority = PRIORITIES.find((name) => name === (given ?? 'snapshot'));
  if (priority === undefined)
    throw new EngineError('Format', `unknown variant \`${String(given)}\`, expected one of ${PRIORITIES.join(', ')}`);
  return priority;
}

async function recover(request: Request): Promise<unknown> {
  const body: JsonObject = await request.body();
  const source = {
    location: stringOf(body, 'location'),
    apiKey: maybeString(body, 'api_key'),
    checksum: maybeString(body, 'checksum'),
  };
  const priority = priorityOf(maybeString(body, 'priority'));
  const bare = isShard(request) ? directoryOf(request) : undefined;
  return await waited(request, async () =>
    putInPlace(request, await fetchArchive(request.engine.settings, source, bare), priority),
  );
}

async function upload(request: Request): Promise<unknown> {
  const bytes = snapshotPart(await request.bytes(MAX_UPLOAD_BYTES), request.raw.headers['content-type']);
  const priority = priorityOf(request.query.get('priority'));
  const checksum = request.query.get('checksum');
  if (checksum !== null && sha256(bytes) !== checksum.toLowerCase()) {
    throw new EngineError('BadInput', `Snapshot checksum mismatch: expected ${checksum}, got ${sha256(bytes)}`);
  }
  return await waited(request, () => putInPlace(request, bytes, priority));
}

async function putInPlace(request: Request, bytes: Buffer, priority: Priority): Promise<boolean> {
  const { engine } = request;
  const name = request.parameter('collection_name');
  const archive = readArchive(bytes);
  await counted(engine, name, 'recovering', async () => {
    if (isShard(request))
      await recoverShard(engine, collectionOf(request), {
        shardId: Number(request.parameter('shard')),
        archive,
        priority,
      });
    else await recoverCollection(engine, name, { archive, priority });
  });
  return true;
}

const levels: readonly Route[] = [ONE, SHARD].flatMap((base): Route[] => [
  { method: 'GET', path: `${base}/snapshots`, right: 'read', handle: (request) => listSnapshots(directoryOf(request)) },
  { method: 'POST', path: `${base}/snapshots`, right: 'write', handle: create },
  { method: 'PUT', path: `${base}/snapshots/recover`, right: 'write', handle: recover },
  { method: 'POST', path: `${base}/snapshots/upload`, right: 'write', handle: upload },
  { method: 'GET', path: `${base}/snapshots/{snapshot_name}`, right: 'read', handle: download },
  { method: 'DELETE', path: `${base}/snapshots/{snapshot_name}`, right: 'write', handle: remove },
]);

const UNBUILT = [
  ['GET', '/snapshots'],
  ['POST', '/snapshots'],
  ['GET', '/snapshots/{snapshot_name}'],
  ['DELETE', '/snapshots/{snapshot_name}'],
  ['GET', `${SHARD}/snapshot/partial/manifest`],
  ['POST', `${SHARD}/snapshot/partial/create`],
  ['POST', `${SHARD}/snapshot/partial/recover`],
  ['POST', `${SHARD}/snapshot/partial/recover_from`],
] as const;

export const snapshotRoutes: readonly Route[] = [
  ...levels,
  { method: 'GET', path: `${SHARD}/snapshot`, right: 'write', handle: stream },
  ...UNBUILT.map(
    ([method, path]): Route => ({
      method,
      path,
      right: 'write',
      handle: (): never => {
        throw new EngineError('NotBuilt', `${method} ${path}`);
      },
    }),
  ),
];
