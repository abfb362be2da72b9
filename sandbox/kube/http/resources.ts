import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { RequestInfo } from '../access/request-info.ts';
import { isTrue } from '../access/request-info.ts';
import type { User } from '../access/user.ts';
import type { Faults } from '../faults.ts';
import type { JsonObject } from '../json.ts';
import { checkBody } from '../objects/metadata.ts';
import { deleteCollection, deletedStatus, deleteObject, deleteOptions } from '../rest/delete.ts';
import { checkOptions, integer } from '../rest/options.ts';
import { patch } from '../rest/patch.ts';
import { bind, evict, logContainer } from '../rest/pods.ts';
import { list } from '../rest/read.ts';
import { REVIEWS } from '../rest/reviews.ts';
import { readScale, scaleTable, writeScale } from '../rest/scale.ts';
import { requestToken } from '../rest/token-request.ts';
import { watch } from '../rest/watch.ts';
import { create, decodeBody, get, update } from '../rest/write.ts';
import type { Call, State } from '../state.ts';
import { badRequest, invalid, methodNotAllowed, NoSuchPage, noSuchPath, notModelled } from '../status.ts';
import { NOT_MODELLED } from '../types/builtins.ts';
import { present, presentList, wantsTable } from '../view/represent.ts';
import { type Answer, answer, mediaType, parseObject, readBody } from './body.ts';

export type Exchange = {
  readonly state: State;
  readonly faults: Faults;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly info: RequestInfo;
  readonly user: User;
};

/** Answers a request to a resource; returns whether it changed the store. */
export async function handleResource(exchange: Exchange): Promise<boolean> {
  const { state, request, response, info, user } = exchange;
  const review = REVIEWS[`${info.group}/${info.plural}`];
  if (review !== undefined) {
    if (request.method !== 'POST') throw methodNotAllowed();
    const body = parseObject(await readBody(request), mediaType(request));
    answer(response, { code: 201, body: review.review(state, user, body) });
    return false;
  }
  const call = callOf(exchange);
  if (info.verb === 'watch') {
    openWatch(exchange, call);
    return false;
  }
  if (info.subresource === 'log') {
    await sendLog(exchange, call);
    return false;
  }
  const text = request.method === 'GET' || request.method === 'HEAD' ? '' : await readBody(request);
  checkOptions(call);
  const before = state.store.revision;
  const result = dispatch(call, text);
  answer(response, result, call.warnings);
  return state.store.revision !== before;
}

function callOf({ state, request, url, info, user }: Exchange): Call {
  const resource = state.registry.find(info.group, info.version, info.plural);
  if (resource === undefined) {
    if (NOT_MODELLED.has(`${info.group}/${info.plural}`))
      throw notModelled(`${info.plural} of ${info.group || 'the core group'}`);
    throw state.registry.serves(info.group, info.version) ? noSuchPath() : new NoSuchPage();
  }
  if (resource.namespaced && info.namespace === '' && info.name !== '' && info.verb !== 'list' && info.verb !== 'watch')
    throw noSuchPath();
  // A namespace is a cluster-scoped object; its name stands in the path where others have theirs.
  const namespace = resource.namespaced ? info.namespace : '';
  const byPath =
    info.path
      .split('/')
      .filter((part) => part !== '')
      .at(-1) !== info.plural;
  return {
    state,
    user,
    resource,
    verb: info.verb,
    namespace,
    name: info.verb === 'list' || (info.verb === 'watch' && !byPath) ? '' : info.name,
    subresource: info.subresource,
    query: url.searchParams,
    accept: request.headers.accept ?? '',
    contentType: mediaType(request),
    userAgent: request.headers['user-agent'] ?? '',
    warnings: [],
  };
}

function dispatch(call: Call, text: string): Answer {
  if (call.subresource !== '' && call.subresource !== 'status') return dispatchSubresource(call, text);
  if (call.subresource === 'status' && !call.resource.statusSubresource) throw noSuchPath();
  switch (call.verb) {
    case 'get':
      return { code: 200, body: present(call, get(call)) };
    case 'list':
      return { code: 200, body: presentList(call, list(call)) };
    case 'create':
      return postObject(call, text);
    case 'update':
      return putObject(call, text);
    case 'patch': {
      const { code, object } = patch(call, text);
      return { code, body: present(call, object) };
    }
    case 'delete':
      return removeObject(call, text);
    case 'deletecollection': {
      const items = deleteCollection(call, deleteOptions(call, optionalBody(call, text)));
      const page = { items, revision: call.state.store.revision, continue: '', remaining: 0 };
      return { code: 200, body: presentList(call, page) };
    }
    default:
      throw methodNotAllowed();
  }
}

const optionalBody = (call: Call, text: string): JsonObject | undefined =>
  text.trim() === '' ? undefined : parseObject(text, call.contentType);

function postObject(call: Call, text: string): Answer {
  if (call.name !== '' || call.subresource !== '') throw methodNotAllowed();
  if (call.resource.namespaced && call.namespace === '')
    throw badRequest('an empty namespace may not be set during creation');
  const body = parseObject(text, call.contentType);
  checkBody(call, body);
  return { code: 201, body: present(call, create(call, decodeBody(call, body))) };
}

function putObject(call: Call, text: string): Answer {
  if (call.name === '') throw methodNotAllowed();
  const body = parseObject(text, call.contentType);
  checkBody(call, body);
  const live = get(call);
  checkVersionGiven(call, body);
  return { code: 200, body: present(call, update(call, live, { body: decodeBody(call, body) })) };
}

function checkVersionGiven(call: Call, body: JsonObject): void {
  const metadata = body['metadata'];
  const version =
    typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
      ? metadata['resourceVersion']
      : undefined;
  if ((typeof version === 'string' && version !== '') || call.resource.unconditionalUpdate) return;
  const message = 'Invalid value: 0: must be specified for an update';
  // The resource stands where the kind belongs. Source: apiserver `registry/generic/registry/store.go`.
  const type = { group: call.resource.group, kind: call.resource.plural };
  throw invalid(type, call.name, [{ field: 'metadata.resourceVersion', type: 'FieldValueInvalid', message }]);
}

/** Kinds of which a deletion answers the object. Source: `ReturnDeletedObject` in `pkg/registry`. */
const RETURNED: ReadonlySet<string> = new Set([
  '/namespaces',
  '/persistentvolumeclaims',
  '/persistentvolumes',
  '/pods',
  '/serviceaccounts',
  '/services',
  'storage.k8s.io/storageclasses',
]);

function removeObject(call: Call, text: string): Answer {
  if (call.subresource !== '') throw methodNotAllowed();
  const { object, gone } = deleteObject(call, deleteOptions(call, optionalBody(call, text)));
  return { code: 200, body: gone && !RETURNED.has(call.resource.storedAs) ? deletedStatus(call, object) : object };
}

function dispatchSubresource(call: Call, text: string): Answer {
  const { subresource, resource, verb } = call;
  if (subresource === 'scale') {
    if (verb === 'get') {
      const scale = readScale(call, get(call));
      return { code: 200, body: wantsTable(call) ? scaleTable(call, scale) : scale };
    }
    if (verb === 'update' || verb === 'patch') return { code: 200, body: writeScale(call, text) };
    throw methodNotAllowed();
  }
  const verbs = resource.subresources[subresource];
  if (verbs === undefined) throw notModelled(`the subresource ${resource.plural}/${subresource}`);
  if (!verbs.includes(verb)) throw methodNotAllowed();
  const body = parseObject(text, call.contentType);
  switch (subresource) {
    case 'eviction':
      return { code: 201, body: evict(call, body) };
    case 'binding':
      return { code: 201, body: bind(call, body) };
    case 'token':
      return { code: 201, body: requestToken(call, body) };
    case 'finalize':
      return { code: 200, body: update(call, get(call), { body: decodeBody(call, body) }) };
    default:
      throw notModelled(`the subresource ${resource.plural}/${subresource}`);
  }
}

function openWatch({ faults, response }: Exchange, call: Call): void {
  const narrowed = call.name === '' ? call : byName(call);
  const open = watch(narrowed, response, () => {
    if (open !== undefined) faults.removeWatch(open);
  });
  if (open !== undefined) faults.addWatch(open);
}

/** A watch on one object is a watch on its collection by name. */
function byName(call: Call): Call {
  const query = new URLSearchParams(call.query);
  query.set('fieldSelector', `metadata.name=${call.name}`);
  return { ...call, query, name: '' };
}

async function sendLog({ response }: Exchange, call: Call): Promise<void> {
  if (call.verb !== 'get') throw methodNotAllowed();
  const container = logContainer(call);
  const abort = new AbortController();
  response.once('close', () => abort.abort());
  const optional = (name: string, value: number | undefined) => (value === undefined ? {} : { [name]: value });
  const flag = (name: string): boolean => isTrue(call.query.get(name));
  const source = { namespace: call.namespace, pod: call.name, container };
  const log = await call.state.hooks.podLogs?.(source, {
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    ...optional('tailLines', integer(call, 'tailLines')),
    ...optional('sinceSeconds', integer(call, 'sinceSeconds')),
    ...optional('limitBytes', integer(call, 'limitBytes')),
    signal: abort.signal,
  });
  if (log === undefined)
    throw badRequest(`container "${container}" in pod "${call.name}" is waiting to start: ContainerCreating`);
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
  response.flushHeaders();
  // The reader may go at any time: that ends the log, it is no failure.
  await pipeline(log, response).catch(() => response.destroy());
}
