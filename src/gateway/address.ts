import { GatewayError } from './errors.ts';
import { type Operation, operationOf, whyRefused } from './operations.ts';

/** What a request is addressed to. */
export type Address =
  | ({ readonly kind: 'collection'; readonly namespace: string; readonly collection: string } & {
      readonly operation: Operation;
      /** Path behind the collection's name, still encoded. */
      readonly rest: string;
    })
  | { readonly kind: 'root' | 'collections' | 'aliases' | 'search'; readonly namespace: string }
  | { readonly kind: 'collectionAliases'; readonly namespace: string; readonly collection: string };

const NAMESPACED = /^\/namespaces\/([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)(\/.*|$)/;
const COLLECTION = /^\/collections\/([^/]+)(\/.*)?$/;

/**
 * What a path means: `/namespaces/<namespace>` before any of Qdrant's paths, or the default namespace without it.
 *
 * @param path without its query
 * @throws GatewayError
 */
export function addressOf(method: string, path: string, defaultNamespace: string): Address {
  const within = NAMESPACED.exec(path);
  const namespace = within?.[1] ?? defaultNamespace;
  const local = within === null ? path : within[3] === '' ? '/' : (within[3] ?? '/');
  const reads = method === 'GET' || method === 'HEAD';
  if (local === '/' && reads) return { kind: 'root', namespace };
  if (/^\/search\/?$/.test(local) && method === 'POST') return { kind: 'search', namespace };
  if (/^\/collections\/?$/.test(local) && reads) return { kind: 'collections', namespace };
  if (/^\/aliases\/?$/.test(local) && reads) return { kind: 'aliases', namespace };
  const [, name, rest = ''] = COLLECTION.exec(local) ?? [];
  if (name !== undefined) {
    const operation = operationOf(method, rest);
    if (operation !== undefined) return { kind: 'collection', namespace, collection: decoded(name), operation, rest };
    if (/^\/aliases\/?$/.test(rest) && reads)
      return { kind: 'collectionAliases', namespace, collection: decoded(name) };
  }
  const why = whyRefused(local);
  if (why !== undefined) throw new GatewayError('NotThroughGateway', `${method} ${local.slice(0, 200)}: ${why}`);
  throw new GatewayError('NoSuchPath', `${method} ${local.slice(0, 200)}`);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new GatewayError('BadRequest', 'the name in the path is not well encoded');
  }
}
