import type { JsonObject } from '../json.ts';
import type { State } from '../state.ts';
import { methodNotAllowed, NoSuchPage } from '../status.ts';
import { aggregated, coreVersions, groupList, oneGroup, resourceList } from '../view/discovery.ts';
import { openApiDocument, openApiIndex } from '../view/openapi.ts';
import { OPENAPI_V2, OPENAPI_V2_ASKED, OPENAPI_V2_BYTES, OPENAPI_V2_GIVEN } from '../view/openapi-v2.ts';
import type { Answer } from './body.ts';

const HEALTH = new Set(['/healthz', '/livez', '/readyz']);
/** The release whose behaviour is modelled. */
const VERSION: JsonObject = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.3-sandbox',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
};
const AGGREGATED =
  /application\/json;(?=[^,]*g=apidiscovery\.k8s\.io)(?=[^,]*v=v2(?:;|,|$))(?=[^,]*as=APIGroupDiscoveryList)/;
const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

type PathRequest = { readonly method: string; readonly path: string; readonly accept: string; readonly host: string };

/** Answers what is no resource: health, version, discovery, schemas. */
export function handlePath(state: State, { method, path: given, accept, host }: PathRequest): Answer {
  const path = given.length > 1 ? given.replace(/\/$/, '') : given;
  const { registry } = state;
  if (HEALTH.has(path)) return { code: 200, body: 'ok' };
  if (method !== 'GET') throw methodNotAllowed();
  if (path === '/version') return { code: 200, body: VERSION };
  const isAggregated = AGGREGATED.test(accept.replaceAll(' ', ''));
  if (path === '/api' || path === '/apis') {
    if (isAggregated) return { code: 200, body: aggregated(registry, path === '/api'), contentType: AGGREGATED_TYPE };
    return { code: 200, body: path === '/api' ? coreVersions(host) : groupList(registry) };
  }
  if (path === '/openapi/v2') {
    const wantsBytes = accept.startsWith(OPENAPI_V2_ASKED);
    return wantsBytes
      ? { code: 200, body: OPENAPI_V2_BYTES, contentType: OPENAPI_V2_GIVEN }
      : { code: 200, body: OPENAPI_V2 };
  }
  if (path === '/openapi/v3') return { code: 200, body: openApiIndex(registry) };
  const body = path.startsWith('/openapi/v3/')
    ? schemaDocument(state, path.slice('/openapi/v3/'.length))
    : discovery(state, path);
  if (body === undefined) throw new NoSuchPage();
  return { code: 200, body };
}

function schemaDocument({ registry }: State, path: string): JsonObject | undefined {
  const [root, first = '', second = ''] = path.split('/');
  return root === 'api' ? openApiDocument(registry, '', first) : openApiDocument(registry, first, second);
}

function discovery({ registry }: State, path: string): JsonObject | undefined {
  const [root, first = '', second] = path.split('/').slice(1);
  if (root === 'api') return resourceList(registry, '', first);
  if (root !== 'apis') return undefined;
  return second === undefined ? oneGroup(registry, first) : resourceList(registry, first, second);
}
