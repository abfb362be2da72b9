import { EngineError } from '../base/errors.ts';
import { arrayOf, type JsonObject, maybeCount, objectOf, stringOf } from '../base/json.ts';
import {
  countPoints,
  facetValues,
  retrievePoints,
  scrollPoints,
  type UpdateResult,
  writePoints,
} from '../collection/points.ts';
import { queryPoints, readQuery, searchesOf } from '../collection/query.ts';
import { checkTimeout } from '../collection/strict-mode.ts';
import type { ShardOperation } from '../shard/operations.ts';
import { parsePointId } from '../shard/point.ts';
import type { CollectionParams, CollectionState } from '../state/types.ts';
import { recordOf, scoredOf } from './points-answer.ts';
import {
  readDeletePayload,
  readDeleteVectors,
  readFilter,
  readKeys,
  readLimit,
  readOffset,
  readSelection,
  readSetPayload,
  readTarget,
  readUpdateVectors,
  readUpsert,
  readWriteKey,
} from './points-request.ts';
import type { Request, Route } from './router.ts';

const BASE = '/collections/{collection_name}/points';
type Reader = (body: JsonObject, params: CollectionParams) => ShardOperation;

const collectionOf = (request: Request): CollectionState =>
  request.engine.collection(request.parameter('collection_name'));

async function write(request: Request, read: Reader): Promise<UpdateResult> {
  const body = await request.body({ doubles: true });
  const collection = collectionOf(request);
  return await writeOne(request, collection, { body, read });
}

const ORDERINGS = ['weak', 'medium', 'strong'];

async function writeOne(
  request: Request,
  collection: CollectionState,
  step: { body: JsonObject; read: Reader },
): Promise<UpdateResult> {
  const ordering = request.query.get('ordering');
  if (ordering !== null && !ORDERINGS.includes(ordering)) {
    const words = ORDERINGS.map((word) => `\`${word}\``).join(', ');
    throw new EngineError('Query', `unknown variant \`${ordering}\`, expected one of ${words}`);
  }
  const operation = step.read(step.body, collection.config.params);
  const shardKey = readWriteKey(step.body.shard_key, collection);
  return await writePoints(request.engine, collection, { operation, shardKey, wait: request.flag('wait', false) });
}

const readDelete: Reader = (body) => ({ kind: 'delete', target: readTarget(body) });
const readClear: Reader = (body) => ({ kind: 'clearPayload', target: readTarget(body) });
const readSet: Reader = (body) => readSetPayload(body, 'setPayload');
const readOverwrite: Reader = (body) => readSetPayload(body, 'overwritePayload');

const BATCH: Readonly<Record<string, Reader>> = {
  upsert: readUpsert,
  delete: readDelete,
  set_payload: readSet,
  overwrite_payload: readOverwrite,
  delete_payload: readDeletePayload,
  clear_payload: readClear,
  update_vectors: readUpdateVectors,
  delete_vectors: readDeleteVectors,
};

/** Operations in order; what came before a failing one stays. */
async function batch(request: Request): Promise<UpdateResult[]> {
  const body = await request.body({ doubles: true });
  const collection = collectionOf(request);
  const results: UpdateResult[] = [];
  for (const item of arrayOf(body.operations, 'operations')) {
    const [name, inner] = Object.entries(objectOf(item, 'operation'))[0] ?? [];
    const read = name === undefined ? undefined : BATCH[name];
    if (!read) throw new EngineError('Format', 'data did not match any variant of untagged enum UpdateOperation');
    results.push(await writeOne(request, collection, { body: objectOf(inner, 'operation'), read }));
  }
  return results;
}

async function scroll(request: Request): Promise<unknown> {
  const body = await request.body();
  const collection = collectionOf(request);
  checkTimeout(collection, request.timeoutMs);
  if (body.order_by !== undefined && body.order_by !== null) throw new EngineError('NotBuilt', 'scroll with order_by');
  const { points, next } = await scrollPoints(request.engine, collection, {
    limit: readLimit(body, 'scroll_request'),
    explicitLimit: maybeCount(body, 'limit'),
    offset: readOffset(body.offset),
    filter: readFilter(body.filter),
    shardKeys: readKeys(body.shard_key, collection),
  });
  const selection = readSelection(body, true);
  return { points: points.map((found) => recordOf(found, selection)), next_page_offset: next ?? null };
}

async function count(request: Request): Promise<unknown> {
  const body = await request.body();
  const collection = collectionOf(request);
  const filter = readFilter(body.filter);
  return {
    count: await countPoints(request.engine, collection, { filter, shardKeys: readKeys(body.shard_key, collection) }),
  };
}

async function retrieve(request: Request): Promise<unknown> {
  const body = await request.body();
  const collection = collectionOf(request);
  const found = await retrievePoints(request.engine, collection, {
    ids: arrayOf(body.ids, 'ids').map(parsePointId),
    shardKeys: readKeys(body.shard_key, collection),
  });
  const selection = readSelection(body, false);
  return found.map((point) => recordOf(point, selection));
}

async function retrieveOne(request: Request): Promise<unknown> {
  const collection = collectionOf(request);
  const text = request.parameter('id');
  const id = parsePointId(/^\d+$/.test(text) ? BigInt(text) : text);
  const [found] = await retrievePoints(request.engine, collection, { ids: [id] });
  if (!found) throw new EngineError('NotFound', `Point with id ${id} does not exists!`);
  return recordOf(found, { payload: true, vectors: true });
}

async function runQuery(request: Request, collection: CollectionState, body: JsonObject): Promise<unknown> {
  checkTimeout(collection, request.timeoutMs);
  const query = readQuery(body, {
    limit: readLimit(body, 'internal'),
    shardKeys: readKeys(body.shard_key, collection),
  });
  readFilter(body.filter);
  const selection = readSelection(body, false);
  const points = await queryPoints(request.engine, collection, query);
  return { points: points.map((found) => scoredOf(found, selection)) };
}

async function queryBatch(request: Request): Promise<unknown> {
  const body = await request.body();
  const collection = collectionOf(request);
  return await Promise.all(searchesOf(body).map((item) => runQuery(request, collection, objectOf(item, 'search'))));
}

async function facet(request: Request): Promise<unknown> {
  const body = await request.body();
  const collection = collectionOf(request);
  const hits = await facetValues(request.engine, collection, {
    key: stringOf(body, 'key'),
    limit: maybeCount(body, 'limit', 1) ?? 10,
    filter: readFilter(body.filter),
    shardKeys: readKeys(body.shard_key, collection),
  });
  return { hits };
}

const notBuilt = (what: string) => (): never => {
  throw new EngineError('NotBuilt', what);
};

export const pointRoutes: readonly Route[] = [
  { method: 'PUT', path: BASE, right: 'write', handle: (request) => write(request, readUpsert) },
  { method: 'POST', path: BASE, right: 'read', handle: retrieve },
  { method: 'POST', path: `${BASE}/delete`, right: 'write', handle: (request) => write(request, readDelete) },
  { method: 'POST', path: `${BASE}/payload`, right: 'write', handle: (request) => write(request, readSet) },
  { method: 'PUT', path: `${BASE}/payload`, right: 'write', handle: (request) => write(request, readOverwrite) },
  {
    method: 'POST',
    path: `${BASE}/payload/delete`,
    right: 'write',
    handle: (request) => write(request, readDeletePayload),
  },
  { method: 'POST', path: `${BASE}/payload/clear`, right: 'write', handle: (request) => write(request, readClear) },
  { method: 'PUT', path: `${BASE}/vectors`, right: 'write', handle: (request) => write(request, readUpdateVectors) },
  {
    method: 'POST',
    path: `${BASE}/vectors/delete`,
    right: 'write',
    handle: (request) => write(request, readDeleteVectors),
  },
  { method: 'POST', path: `${BASE}/batch`, right: 'write', handle: batch },
  { method: 'POST', path: `${BASE}/scroll`, right: 'read', handle: scroll },
  { method: 'POST', path: `${BASE}/count`, right: 'read', handle: count },
  {
    method: 'POST',
    path: `${BASE}/query`,
    right: 'read',
    handle: async (request) => runQuery(request, collectionOf(request), await request.body()),
  },
  { method: 'POST', path: `${BASE}/query/batch`, right: 'read', handle: queryBatch },
  { method: 'POST', path: `${BASE}/query/groups`, right: 'read', handle: notBuilt('query groups') },
  { method: 'POST', path: `${BASE}/search`, right: 'read', handle: notBuilt('points/search (use points/query)') },
  { method: 'POST', path: `${BASE}/search/matrix/pairs`, right: 'read', handle: notBuilt('distance matrix') },
  { method: 'POST', path: `${BASE}/search/matrix/offsets`, right: 'read', handle: notBuilt('distance matrix') },
  { method: 'POST', path: '/collections/{collection_name}/facet', right: 'read', handle: facet },
  { method: 'GET', path: `${BASE}/{id}`, right: 'read', handle: retrieveOne },
];
