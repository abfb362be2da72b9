import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Access } from '../access/rbac.ts';
import { type RequestInfo, requestInfo } from '../access/request-info.ts';
import type { User } from '../access/user.ts';
import type { Audit } from '../audit.ts';
import { CutConnection, type Faults } from '../faults.ts';
import type { State } from '../state.ts';
import { badRequest, qualified, StatusError } from '../status.ts';
import { answer, answerError } from './body.ts';
import { handlePath } from './paths.ts';
import { handleResource } from './resources.ts';

const NOBODY: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

type Parts = { readonly state: State; readonly faults: Faults; readonly audit: Audit };

/** Handles every request: who, may he, faults, answer, audit. */
export function requestHandler({ state, faults, audit }: Parts) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const at = state.now();
    const url = new URL(request.url ?? '/', 'http://localhost');
    const method = request.method ?? 'GET';
    let wrote = false;
    let info: RequestInfo | undefined;
    let user = NOBODY;
    let code = 0;
    try {
      info = readInfo(method, url);
      user = authenticate(state, request);
      await faults.strike(info, user);
      authorize(state, user, info);
      if (info.isResource) wrote = await handleResource({ state, faults, request, response, url, info, user });
      else {
        const { path } = info;
        const host = request.headers.host ?? '';
        answer(response, handlePath(state, { method, path, accept: request.headers.accept ?? '', host }));
      }
      code = response.statusCode;
    } catch (error) {
      if (error instanceof CutConnection) response.destroy();
      else code = answerError(response, error);
    }
    audit.record({
      at,
      user: user.name,
      verb: info?.verb ?? method.toLowerCase(),
      resource: resourceName(info),
      namespace: info?.namespace ?? '',
      name: info?.name ?? '',
      path: url.pathname,
      code,
      wrote,
      userAgent: request.headers['user-agent'] ?? '',
    });
  };
}

function readInfo(method: string, url: URL): RequestInfo {
  try {
    return requestInfo(method, url);
  } catch {
    throw badRequest(`the path ${url.pathname} is not well encoded`);
  }
}

const resourceName = (info: RequestInfo | undefined): string =>
  info?.isResource === true
    ? [info.group, info.plural, info.subresource].filter((part, index) => index < 2 || part !== '').join('/')
    : '';

/** Who brings no token is nobody, and may what the roles of nobody allow. */
function authenticate(state: State, request: IncomingMessage): User {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return NOBODY;
  const user = readToken(state, token);
  if (user === undefined) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  return user;
}

function readToken(state: State, token: string): User | undefined {
  try {
    const user = state.tokens.read(token);
    if (user?.accountUid === undefined) return user;
    const [, , namespace = '', name = ''] = user.name.split(':');
    // A token dies with its service account.
    return state.store.get('/serviceaccounts', namespace, name)?.metadata.uid === user.accountUid ? user : undefined;
  } catch {
    return undefined;
  }
}

function authorize(state: State, user: User, info: RequestInfo): void {
  if (state.rbac.allows(user, accessOf(info))) return;
  const who = `User "${user.name}" cannot ${info.verb}`;
  if (!info.isResource) throw new StatusError(403, 'Forbidden', `forbidden: ${who} path "${info.path}"`, {});
  const resource = info.subresource === '' ? info.plural : `${info.plural}/${info.subresource}`;
  const scope = info.namespace === '' ? 'at the cluster scope' : `in the namespace "${info.namespace}"`;
  const object = `${qualified(info)}${info.name === '' ? '' : ` "${info.name}"`}`;
  throw new StatusError(
    403,
    'Forbidden',
    `${object} is forbidden: ${who} resource "${resource}" in API group "${info.group}" ${scope}`,
    {
      ...(info.name === '' ? {} : { name: info.name }),
      ...(info.group === '' ? {} : { group: info.group }),
      kind: info.plural,
    },
  );
}

function accessOf(info: RequestInfo): Access {
  if (!info.isResource) return { kind: 'path', verb: info.verb, path: info.path };
  const { verb, group, namespace, name } = info;
  const resource = info.subresource === '' ? info.plural : `${info.plural}/${info.subresource}`;
  return { kind: 'resource', verb, group, resource, namespace, name };
}
