/** What an operation does to a library: `read` may be sent again anywhere, `write` is held by a fence. */
export type OperationKind = 'read' | 'write';

/** Whether a write may be sent again when it is not known whether it was applied. */
export type Repeat = 'always' | 'byIds' | 'never';

export type Operation = {
  /** A label of metrics and traces. */
  readonly name: string;
  readonly kind: OperationKind;
  readonly repeat: Repeat;
};

type Row = readonly [method: string, pattern: string, name: string, kind: OperationKind, repeat?: Repeat];

/** Below `/collections/{name}`. Source: Qdrant's OpenAPI document, 1.18. */
const ROWS: readonly Row[] = [
  ['GET', '', 'collection_info', 'read'],
  ['GET', '/exists', 'collection_exists', 'read'],
  ['GET', '/points/{id}', 'retrieve', 'read'],
  ['POST', '/points', 'retrieve', 'read'],
  ['POST', '/points/scroll', 'scroll', 'read'],
  ['POST', '/points/count', 'count', 'read'],
  ['POST', '/points/query', 'query', 'read'],
  ['POST', '/points/query/batch', 'query_batch', 'read'],
  ['POST', '/points/query/groups', 'query_groups', 'read'],
  ['POST', '/points/search', 'search', 'read'],
  ['POST', '/points/search/batch', 'search_batch', 'read'],
  ['POST', '/points/search/groups', 'search_groups', 'read'],
  ['POST', '/points/search/matrix/pairs', 'search_matrix', 'read'],
  ['POST', '/points/search/matrix/offsets', 'search_matrix', 'read'],
  ['POST', '/points/recommend', 'recommend', 'read'],
  ['POST', '/points/recommend/batch', 'recommend_batch', 'read'],
  ['POST', '/points/recommend/groups', 'recommend_groups', 'read'],
  ['POST', '/points/discover', 'discover', 'read'],
  ['POST', '/points/discover/batch', 'discover_batch', 'read'],
  ['POST', '/facet', 'facet', 'read'],
  ['PUT', '/points', 'upsert', 'write', 'always'],
  ['POST', '/points/delete', 'delete', 'write', 'byIds'],
  ['PUT', '/points/vectors', 'update_vectors', 'write', 'always'],
  ['POST', '/points/vectors/delete', 'delete_vectors', 'write', 'byIds'],
  ['POST', '/points/payload', 'set_payload', 'write', 'byIds'],
  ['PUT', '/points/payload', 'overwrite_payload', 'write', 'byIds'],
  ['POST', '/points/payload/delete', 'delete_payload', 'write', 'byIds'],
  ['POST', '/points/payload/clear', 'clear_payload', 'write', 'byIds'],
  ['POST', '/points/batch', 'batch', 'write', 'byIds'],
];

const compiled = ROWS.map(([method, pattern, name, kind, repeat = 'always']) => ({
  method,
  pattern: new RegExp(`^${pattern.replace('{id}', '[^/]+')}/?$`),
  operation: { name, kind, repeat } satisfies Operation,
}));

/** What a request does below `/collections/{name}`; undefined for what the gateway doesn't pass on. */
export function operationOf(method: string, rest: string): Operation | undefined {
  const asked = method === 'HEAD' ? 'GET' : method;
  return compiled.find((row) => row.method === asked && row.pattern.test(rest))?.operation;
}

/** What Qdrant does and the gateway refuses by name: whose it is instead. */
const REFUSED: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  { pattern: /^\/collections\/[^/]+\/?$/, why: 'collections are made, changed and dropped by their DomainLibrary' },
  { pattern: /^\/collections\/aliases\/?$/, why: 'aliases are set by spec.aliases of the DomainLibrary' },
  { pattern: /^\/collections\/[^/]+\/index(?:\/|$)/, why: 'payload indexes are set by spec.payloadIndexes' },
  { pattern: /^\/collections\/[^/]+\/vectors(?:\/|$)/, why: 'vectors are added by spec.vectors' },
  { pattern: /^\/collections\/[^/]+\/(?:shards|cluster)(?:\/|$)/, why: "shards are the operator's" },
  { pattern: /^\/(?:collections\/[^/]+\/)?snapshots(?:\/|$)/, why: "snapshots are the operator's: spec.snapshots" },
  { pattern: /^\/collections\/[^/]+\/(?:optimizations|memory|truncate_unapplied_wal)(?:\/|$)/, why: 'ask a peer' },
  { pattern: /^\/(?:cluster|telemetry|metrics|locks|logger|quotas|issues|profiler|audit)(?:\/|$)/, why: 'ask a peer' },
];

/** Why a path of Qdrant's own is refused; undefined for one that is none of Qdrant's. */
export const whyRefused = (path: string): string | undefined => REFUSED.find(({ pattern }) => pattern.test(path))?.why;
