/** What a request is about, as the authorizer sees it. Source: apiserver `endpoints/request/requestinfo.go`. */
export type RequestInfo = {
  readonly path: string;
  readonly method: string;
  readonly verb: string;
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
};

const VERBS: { readonly [method: string]: string } = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

export const isTrue = (value: string | null): boolean => value !== null && value !== 'false' && value !== '0';

export function requestInfo(method: string, url: URL): RequestInfo {
  const path = url.pathname;
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const verb = VERBS[method] ?? method.toLowerCase();
  const other = { path, method, verb: verb === 'create' ? 'post' : verb, isResource: false };
  const nothing = { group: '', version: '', plural: '', subresource: '', namespace: '', name: '' };
  const isCore = parts[0] === 'api';
  if ((!isCore && parts[0] !== 'apis') || parts.length < (isCore ? 3 : 4)) return { ...other, ...nothing };
  const group = isCore ? '' : (parts[1] ?? '');
  const version = parts[isCore ? 1 : 2] ?? '';
  const target = targetOf(parts.slice(isCore ? 2 : 3));
  return { path, method, isResource: true, group, version, ...target, ...refine(verb, target.name, url) };
}

type Target = { plural: string; subresource: string; namespace: string; name: string };

function targetOf(rest: readonly string[]): Target {
  const [first = '', second = '', third = ''] = rest;
  const scoped = first === 'namespaces' && rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(third);
  if (scoped) {
    return { plural: third, namespace: second, name: rest[3] ?? '', subresource: rest.slice(4).join('/') };
  }
  const namespace = first === 'namespaces' ? second : '';
  return { plural: first, namespace, name: second, subresource: rest.slice(2).join('/') };
}

/** List, watch and deletecollection are told apart by the query. */
function refine(verb: string, name: string, url: URL): { verb: string; name: string } {
  if (verb === 'delete' && name === '') return { verb: 'deletecollection', name };
  if (verb !== 'get') return { verb, name };
  const watching = isTrue(url.searchParams.get('watch'));
  if (name !== '' && !watching) return { verb, name };
  const selected = /(?:^|,)metadata\.name==?([^,]+)(?:,|$)/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
  return { verb: watching ? 'watch' : 'list', name: name === '' ? (selected ?? '') : name };
}
