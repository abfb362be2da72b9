import { load } from 'js-yaml';
import { checkMayCreate } from '../access/creation.ts';
import { Conflict } from '../fields/conflict.ts';
import { applyFields } from '../fields/track.ts';
import { typeFaults } from '../fields/typed.ts';
import { asString, at, isObject, type Json, type JsonObject, omit } from '../json.ts';
import { decode } from '../objects/decode.ts';
import { checkBody } from '../objects/metadata.ts';
import { type ApiObject, wireTime } from '../objects.ts';
import { jsonPatch } from '../patch/json-patch.ts';
import { mergePatch } from '../patch/merge-patch.ts';
import { strategicPatch } from '../patch/strategic-patch.ts';
import type { Call } from '../state.ts';
import {
  badRequest,
  conflict,
  MODIFIED,
  notFound,
  StatusError,
  unknownPatchType,
  unsupportedMediaType,
} from '../status.ts';
import { writer } from './options.ts';
import { create, decodeBody, find, get, update } from './write.ts';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
export const APPLY_PATCH = 'application/apply-patch+yaml';

export type Written = { readonly code: number; readonly object: ApiObject };

export function patch(call: Call, text: string): Written {
  if (call.contentType === APPLY_PATCH) return apply(call, text);
  const live = get(call);
  const patched = patchDocument(call, live, parseJson(text));
  if (!isObject(patched)) throw badRequest('the patched object is not an object');
  checkBody(call, patched);
  return { code: 200, object: update(call, live, { body: decodeBody(call, patched) }) };
}

/** The document after the patch, whatever kind of patch it is. */
export function patchDocument(call: Call, document: Json, change: Json): Json {
  if (call.contentType === JSON_PATCH) return jsonPatch(document, change);
  if (call.contentType === MERGE_PATCH) return mergePatch(document, change);
  if (call.contentType === STRATEGIC_PATCH && call.resource.custom === undefined) {
    return strategicPatch(document, change, call.resource.schema);
  }
  if (call.resource.custom === undefined) throw unknownPatchType();
  throw unsupportedMediaType([JSON_PATCH, MERGE_PATCH, APPLY_PATCH]);
}

export function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw badRequest(`error decoding patch: ${error instanceof Error ? error.message : 'no JSON'}`);
  }
}

function parseConfig(text: string): JsonObject {
  let config: unknown;
  try {
    config = load(text);
  } catch (error) {
    throw badRequest(`error decoding YAML: ${error instanceof Error ? error.message : 'no YAML'}`);
  }
  if (!isObject(config)) throw badRequest('error decoding YAML: not an object');
  return config;
}

/** Server-side apply. */
function apply(call: Call, text: string): Written {
  if ((call.query.get('fieldManager') ?? '') === '') {
    throw new StatusError(
      422,
      'Invalid',
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      {
        group: 'meta.k8s.io',
        kind: 'PatchOptions',
        causes: [
          {
            reason: 'FieldValueRequired',
            message: 'Required value: is required for apply patch',
            field: 'fieldManager',
          },
        ],
      },
    );
  }
  const config = parseConfig(text);
  checkBody(call, config);
  const metadata = isObject(config['metadata']) ? config['metadata'] : {};
  if (metadata['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
  const live = find(call);
  const version = asString(metadata['resourceVersion']);
  if (live === undefined) return { code: 201, object: applyNew(call, config, version) };
  if (version !== '' && version !== live.metadata.resourceVersion) throw conflict(call.resource, call.name, MODIFIED);
  const { object, entries } = applied(call, live, scoped(call, typed(call, config)));
  return { code: 200, object: update(call, live, { body: object, applied: entries }) };
}

function applyNew(call: Call, config: JsonObject, version: string): ApiObject {
  if (call.subresource !== '') throw notFound(call.resource, call.name);
  if (version !== '') throw conflict(call.resource, call.name, MODIFIED);
  checkMayCreate(call);
  const wanted = scoped(call, typed(call, config));
  const named = {
    ...wanted,
    metadata: { ...(isObject(wanted['metadata']) ? wanted['metadata'] : {}), name: call.name },
  };
  const { object, entries } = applied(call, undefined, named);
  return create(call, object, entries);
}

/** An apply names only fields that exist, with values of their types; there is no pruning here. */
function typed(call: Call, config: JsonObject): JsonObject {
  const { resource } = call;
  const faults = typeFaults(config, resource.schema);
  if (faults.length === 0) return decode(resource, config, 'Ignore').object;
  const namespace = asString(at(config, 'metadata', 'namespace'));
  const name = asString(at(config, 'metadata', 'name'));
  const kind = `${resource.group}/${resource.version}, Kind=${resource.kind}`;
  const text = faults.length === 1 ? faults[0] : `errors:\n${faults.map((fault) => `  ${fault}`).join('\n')}`;
  throw new StatusError(500, '', `failed to create typed patch object (${namespace}/${name}; ${kind}): ${text}`);
}

/** What an apply through this path may own: status through `status` only, and nothing else there. */
function scoped(call: Call, config: JsonObject): JsonObject {
  if (call.subresource === 'status') return config['status'] === undefined ? {} : { status: config['status'] };
  return call.resource.statusSubresource ? omit(config, 'status') : config;
}

function applied(call: Call, live: ApiObject | undefined, config: JsonObject) {
  const force = call.query.get('force') === 'true';
  const options = { schema: call.resource.schema, writer: writer(call, 'Apply', wireTime(call.state.now())), force };
  try {
    const { object, entries } = applyFields({ object: live, entries: live?.metadata.managedFields }, config, options);
    // Built-in kinds read a null as nothing.
    return {
      object: call.resource.custom === undefined ? decode(call.resource, object, 'Ignore').object : object,
      entries,
    };
  } catch (error) {
    if (error instanceof Conflict) throw new StatusError(409, 'Conflict', error.message, { causes: error.causes });
    throw error;
  }
}
