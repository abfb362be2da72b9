import { EngineError } from '../base/errors.ts';
import { arrayOf, isObject, type Json, type JsonObject, objectOf, stringOf } from '../base/json.ts';
import { createCollection, waitUntilActive } from '../collection/create.ts';
import { checkName, readUpdate } from '../collection/create-request.ts';
import { collectionInfo, optimizations } from '../collection/info.ts';
import { checkVectorName, readNewVector } from '../collection/vector-request.ts';
import type { AliasAction } from '../state/operations.ts';
import type { Request, Route } from './router.ts';

const ONE = '/collections/{collection_name}';
const name = (request: Request): string => request.parameter('collection_name');

async function create(request: Request): Promise<boolean> {
  checkName(name(request));
  return await createCollection(request.engine, {
    name: name(request),
    body: await request.body(),
    timeoutMs: request.timeoutMs,
  });
}

async function update(request: Request): Promise<boolean> {
  const { engine } = request;
  const change = readUpdate(await request.body());
  const { name: real, uuid } = engine.collection(name(request));
  const done = await engine.consensus.propose(
    { op: 'updateCollection', name: real, update: change },
    request.timeoutMs,
  );
  if (change.hnsw_config || change.optimizers_config || change.quantization_config || change.vectors) {
    engine.optimizingSince.set(uuid, Date.now());
  }
  return done;
}

const remove = (request: Request): Promise<boolean> =>
  request.engine.consensus.propose({ op: 'deleteCollection', name: name(request) }, request.timeoutMs);

function list({ engine }: Request): unknown {
  return { collections: Object.keys(engine.consensus.state.collections).map((collection) => ({ name: collection })) };
}

function exists({ engine, parameters }: Request): unknown {
  const wanted = parameters.collection_name ?? '';
  return { exists: engine.consensus.state.collections[engine.consensus.state.aliases[wanted] ?? wanted] !== undefined };
}

async function changeAliases(request: Request): Promise<boolean> {
  const body = await request.body();
  const actions = arrayOf(body.actions, 'actions').map((action) => readAction(objectOf(action, 'action')));
  return await request.engine.consensus.propose({ op: 'aliases', actions }, request.timeoutMs);
}

function readAction(action: JsonObject): AliasAction {
  const { create_alias: make, delete_alias: drop, rename_alias: rename } = action;
  if (isObject(make))
    return { kind: 'create', alias: aliasName(make, 'alias_name'), collection: stringOf(make, 'collection_name') };
  if (isObject(drop)) return { kind: 'delete', alias: stringOf(drop, 'alias_name') };
  if (isObject(rename))
    return { kind: 'rename', alias: stringOf(rename, 'old_alias_name'), to: aliasName(rename, 'new_alias_name') };
  throw new EngineError('Format', 'data did not match any variant of untagged enum AliasOperations');
}

function aliasName(body: JsonObject, key: string): string {
  const alias = stringOf(body, key);
  checkName(alias);
  return alias;
}

function aliases({ engine }: Request): unknown {
  const all = Object.entries(engine.consensus.state.aliases);
  return { aliases: all.map(([alias, collection]) => ({ alias_name: alias, collection_name: collection })) };
}

function collectionAliases(request: Request): unknown {
  const { state } = request.engine.consensus;
  // Of a collection that does not exist there are none, too.
  const real = state.aliases[name(request)] ?? name(request);
  const own = Object.entries(state.aliases).filter(([, collection]) => collection === real);
  return { aliases: own.map(([alias]) => ({ alias_name: alias, collection_name: real })) };
}

const INDEX_TYPES = ['keyword', 'integer', 'float', 'geo', 'text', 'bool', 'datetime', 'uuid'];

async function createIndex(request: Request): Promise<unknown> {
  const { engine } = request;
  const body = await request.body();
  const field = stringOf(body, 'field_name');
  const schema = readSchema(body.field_schema);
  const { name: real } = engine.collection(name(request));
  await engine.consensus.propose({ op: 'payloadIndex', name: real, field, schema }, request.timeoutMs);
  return { operation_id: engine.consensus.applied, status: request.flag('wait', false) ? 'completed' : 'acknowledged' };
}

/** Types whose answer says of a principal also where none was asked for. */
const PRINCIPALS = ['integer', 'float', 'datetime'];

function readSchema(value: Json | undefined): JsonObject {
  if (typeof value === 'string' && INDEX_TYPES.includes(value)) return { data_type: value };
  if (isObject(value) && typeof value.type === 'string' && INDEX_TYPES.includes(value.type)) {
    if (value.type === 'integer' && value.lookup === false && value.range === false) {
      const why = "the 'lookup' and 'range' capabilities can't be both disabled [{}]";
      throw new EngineError('Validation', `[field_schema.lookup: Validation error: ${why}]`);
    }
    const unsaid = PRINCIPALS.includes(value.type) ? { is_principal: null } : {};
    return { data_type: value.type, params: { ...unsaid, ...value } };
  }
  if (value === undefined || value === null) {
    throw new EngineError('BadInput', 'Unable to infer type for the field. Please specify `field_type`');
  }
  throw new EngineError('Format', 'data did not match any variant of untagged enum PayloadFieldSchema');
}

async function deleteIndex(request: Request): Promise<unknown> {
  const { engine } = request;
  const { name: real } = engine.collection(name(request));
  const field = request.parameter('field_name');
  await engine.consensus.propose({ op: 'payloadIndex', name: real, field, schema: null }, request.timeoutMs);
  return { operation_id: engine.consensus.applied, status: request.flag('wait', false) ? 'completed' : 'acknowledged' };
}

async function changeVector(request: Request, body: JsonObject | null): Promise<unknown> {
  const { engine } = request;
  const vector = request.parameter('vector_name');
  checkVectorName(vector);
  const { name: real } = engine.collection(name(request));
  await engine.consensus.propose({ op: 'vectorName', name: real, vector, body }, request.timeoutMs);
  return { operation_id: engine.consensus.applied, status: request.flag('wait', false) ? 'completed' : 'acknowledged' };
}

async function createKey(request: Request): Promise<boolean> {
  const body = await request.body();
  const { createShardKey } = await import('../collection/shard-keys.ts');
  await createShardKey(request.engine, { name: name(request), body, timeoutMs: request.timeoutMs });
  await waitUntilActive(request.engine, request.engine.collection(name(request)).name);
  return true;
}

async function dropKey(request: Request): Promise<boolean> {
  const body = await request.body();
  const { dropShardKey } = await import('../collection/shard-keys.ts');
  return await dropShardKey(request.engine, { name: name(request), body, timeoutMs: request.timeoutMs });
}

function keys(request: Request): unknown {
  const { config, shards } = request.engine.collection(name(request));
  if (config.params.sharding_method !== 'custom') return {};
  return { shard_keys: [...new Set(shards.map(({ key }) => key))].map((key) => ({ key })) };
}

export const collectionRoutes: readonly Route[] = [
  { method: 'GET', path: '/collections', right: 'read', handle: list },
  { method: 'POST', path: '/collections/aliases', right: 'write', handle: changeAliases },
  { method: 'GET', path: '/aliases', right: 'read', handle: aliases },
  { method: 'PUT', path: ONE, right: 'write', handle: create },
  { method: 'PATCH', path: ONE, right: 'write', handle: update },
  { method: 'DELETE', path: ONE, right: 'write', handle: remove },
  {
    method: 'GET',
    path: ONE,
    right: 'read',
    handle: (request) => collectionInfo(request.engine, request.engine.collection(name(request))),
  },
  { method: 'GET', path: `${ONE}/exists`, right: 'read', handle: exists },
  { method: 'GET', path: `${ONE}/aliases`, right: 'read', handle: collectionAliases },
  { method: 'PUT', path: `${ONE}/index`, right: 'write', handle: createIndex },
  { method: 'DELETE', path: `${ONE}/index/{field_name}`, right: 'write', handle: deleteIndex },
  {
    method: 'PUT',
    path: `${ONE}/vectors/{vector_name}`,
    right: 'write',
    since: 18,
    handle: async (request) => changeVector(request, readNewVector(await request.body())),
  },
  {
    method: 'DELETE',
    path: `${ONE}/vectors/{vector_name}`,
    right: 'write',
    since: 18,
    handle: (request) => changeVector(request, null),
  },
  { method: 'GET', path: `${ONE}/shards`, right: 'read', handle: keys },
  { method: 'PUT', path: `${ONE}/shards`, right: 'write', handle: createKey },
  { method: 'POST', path: `${ONE}/shards/delete`, right: 'write', handle: dropKey },
  {
    method: 'GET',
    path: `${ONE}/optimizations`,
    right: 'read',
    handle: (request) =>
      optimizations(
        request.engine,
        request.engine.collection(name(request)),
        (request.query.get('with') ?? '').split(','),
      ),
  },
];
