import type { DomainLibrary, QdrantCluster } from '../api/index.ts';
import { isControlledBy, ownerReference, type Secret } from '../kube/index.ts';
import type { Connection } from '../qdrant/index.ts';
import { bindingName, libraryLabels, publicName } from './names.ts';
import type { Note } from './plan.ts';

/** Source: Service Binding Specification 1.1, "Well-known Secret Entries" and "Provisioned Service". */
const SECRET_TYPE = 'servicebinding.io/qdrant';
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** What an application needs to use a library; undefined while nothing is known of where its cluster listens. */
export function bindingData(
  library: DomainLibrary,
  cluster: QdrantCluster,
  connection: Connection,
): Record<string, string> | undefined {
  const rest = cluster.status?.endpoints?.rest ?? cluster.spec.external?.url;
  if (rest === undefined || !URL.canParse(rest)) return undefined;
  const { hostname, port, protocol } = new URL(rest);
  const grpc = cluster.status?.endpoints?.grpc;
  const grpcPort = grpc !== undefined && URL.canParse(grpc) ? new URL(grpc).port : '';
  return {
    type: 'qdrant',
    provider: 'qdrant-librarian',
    host: hostname,
    port: port === '' ? (DEFAULT_PORTS[protocol] ?? '6333') : port,
    uri: rest,
    collection: publicName(library),
    ...(grpcPort === '' ? {} : { 'grpc-port': grpcPort }),
    ...(connection.apiKey === undefined ? {} : { 'api-key': connection.apiKey }),
    ...(connection.tls?.ca === undefined ? {} : { 'ca.crt': connection.tls.ca }),
  };
}

export function bindingSecret(library: DomainLibrary, data: Readonly<Record<string, string>>): Secret {
  const { namespace, name } = library.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: bindingName(name),
      ...(namespace === undefined ? {} : { namespace }),
      labels: libraryLabels(name),
      ownerReferences: [ownerReference(library)],
    },
    type: SECRET_TYPE,
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'utf8').toString('base64')]),
    ),
  };
}

export type BindingState =
  | { readonly kind: 'current' | 'write'; readonly note: Note }
  /** A Secret of that name is somebody else's: it is left alone. */
  | { readonly kind: 'taken'; readonly note: Note };

/** What to do about the binding Secret that there is. */
export function bindingState(library: DomainLibrary, existing: Secret | undefined, wanted: Secret): BindingState {
  const name = wanted.metadata.name;
  if (existing !== undefined && !isControlledBy(existing, library)) {
    const message = `Secret ${name} exists and does not belong to this library: it is left alone`;
    return { kind: 'taken', note: { type: 'Bound', status: 'False', reason: 'BindingTaken', message } };
  }
  const note: Note = {
    type: 'Bound',
    status: 'True',
    reason: 'Written',
    message: `Secret ${name} tells applications how to connect`,
  };
  return { kind: existing !== undefined && sameData(existing.data, wanted.data) ? 'current' : 'write', note };
}

function sameData(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
