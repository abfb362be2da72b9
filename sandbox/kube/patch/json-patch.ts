import { asString, clone, equal, isArray, isObject, type Json, type JsonObject } from '../json.ts';
import { badRequest, StatusError } from '../status.ts';

const unescaped = (token: string): string => token.replaceAll('~1', '/').replaceAll('~0', '~');

type Target = { holder: JsonObject | Json[]; token: string };

/** A real server tells its log why, and the client only this. */
const failed = (): StatusError =>
  new StatusError(422, 'Invalid', 'the server rejected our request due to an error in our request', {});

function resolve(document: Json, pointer: string): Target | undefined {
  const tokens = pointer.split('/').slice(1).map(unescaped);
  const token = tokens.pop();
  if (token === undefined) return undefined;
  let current: Json | undefined = document;
  for (const step of tokens)
    current = isArray(current) ? current[Number(step)] : isObject(current) ? current[step] : undefined;
  return isArray(current) || isObject(current) ? { holder: current, token } : undefined;
}

const read = ({ holder, token }: Target): Json | undefined =>
  isArray(holder) ? holder[indexOf(holder, token, holder.length - 1)] : holder[token];

function indexOf(list: readonly Json[], token: string, highest: number): number {
  const index = token === '-' ? list.length : Number(token);
  if (!Number.isInteger(index) || index < 0 || index > highest) throw failed();
  return index;
}

function insert({ holder, token }: Target, value: Json): void {
  if (isArray(holder)) holder.splice(indexOf(holder, token, holder.length), 0, value);
  else holder[token] = value;
}

function remove({ holder, token }: Target): void {
  if (isArray(holder)) holder.splice(indexOf(holder, token, holder.length - 1), 1);
  else delete holder[token];
}

/**
 * RFC 6902.
 *
 * @throws StatusError 422 when an operation doesn't apply or a `test` fails, 400 when the patch is no patch
 */
export function jsonPatch(document: Json, patch: Json): Json {
  if (!isArray(patch))
    throw badRequest(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
  let result = clone(document);
  for (const operation of patch) {
    if (!isObject(operation)) throw badRequest('error decoding patch: an operation is not an object');
    result = applyOperation(result, operation);
  }
  return result;
}

function applyOperation(document: Json, operation: JsonObject): Json {
  const kind = asString(operation['op']);
  const path = asString(operation['path']);
  if (path === '') {
    if (kind === 'test' && equal(document, operation['value'])) return document;
    if (kind === 'replace' || kind === 'add') return clone(operation['value'] ?? null);
    throw failed();
  }
  const target = resolve(document, path);
  if (target === undefined) throw failed();
  const current = kind === 'add' ? undefined : read(target);
  if (kind === 'test') {
    if (!equal(current ?? null, operation['value'] ?? null)) throw failed();
    return document;
  }
  if (kind === 'add') insert(target, clone(operation['value'] ?? null));
  else if (kind === 'remove') {
    if (current === undefined) throw failed();
    remove(target);
  } else if (kind === 'replace') {
    if (current === undefined) throw failed();
    remove(target);
    insert(target, clone(operation['value'] ?? null));
  } else if (kind === 'move' || kind === 'copy') {
    const source = resolve(document, asString(operation['from']));
    const value = source === undefined ? undefined : read(source);
    if (source === undefined || value === undefined) throw failed();
    if (kind === 'move') remove(source);
    insert(target, clone(value));
  } else throw failed();
  return document;
}
