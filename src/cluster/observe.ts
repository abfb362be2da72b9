import type { QdrantCluster } from '../api/index.ts';
import {
  type ClusterClient,
  type ClusterView,
  type Connection,
  connectionOf,
  observeCluster,
  type PeerClient,
  type PeerView,
  reportOf,
  type SecretLookup,
} from '../qdrant/index.ts';
import type { ClusterDeps } from './deps.ts';
import { digestOf } from './digest.ts';
import type { Memory } from './memory.ts';
import { keysName, namespaceOf } from './names.ts';
import { apiKeyReference, readOnlyKeyReference, secretData } from './objects/secret.ts';
import { isExternal, type Problem } from './world.ts';

/** What the peers said, and clients that they accept. */
export type Reach = { readonly view: ClusterView; readonly peer: (name: string) => PeerClient };

export type Observation = { readonly reach: Reach | undefined; readonly problem: Problem | undefined };

type Subject = { readonly cluster: QdrantCluster; readonly memory: Memory; readonly signal: AbortSignal };

/**
 * Asks every peer with the key of the Secret, and with the key that was accepted last where the Secret's is refused or
 * gone: pods go on with the key that they started with.
 */
export async function observe(deps: ClusterDeps, subject: Subject): Promise<Observation> {
  const { cluster, memory, signal } = subject;
  const lookup = (name: string) =>
    secretData(deps.informers.secrets.store.get({ namespace: namespaceOf(cluster), name }));
  const current = connectionOf(cluster, lookup);
  const problem: Problem | undefined = current.ok
    ? secondKeyProblem(cluster, lookup)
    : unmade(cluster, lookup)
      ? undefined
      : { reason: current.reason, message: current.message };
  const earlier = earlierConnection(cluster, memory);
  const first = current.ok ? current.connection : earlier;
  if (first === undefined) return { reach: undefined, problem };

  const view = await look(deps, { connection: first, cluster, signal });
  const refused = view.peers.some((peer) => !peer.reachable && (peer.status === 401 || peer.status === 403));
  if (view.peers.some(({ reachable }) => reachable)) {
    // With a mixture the old key must stay known: some pods run it still.
    if (!refused) memory.accepted = first;
  }
  if (!refused || earlier === undefined || earlier.apiKey === first.apiKey) {
    await readFactors(deps, { ...subject, view, client: clientFor(deps, first, cluster) });
    return { reach: { view, peer: (name) => clientFor(deps, first, cluster).peer(name) }, problem };
  }
  const second = await look(deps, { connection: earlier, cluster, signal });
  const merged = view.peers.map((peer) => (peer.reachable ? peer : (byName(second.peers, peer.name) ?? peer)));
  const accepts = (name: string) => byName(view.peers, name)?.reachable === true;
  const changed: Problem = {
    reason: 'KeyChanged',
    message: `pods run with the key that they started with: ${merged
      .filter(({ name }) => !accepts(name))
      .map(({ name }) => name)
      .join(', ')}`,
  };
  return {
    reach: {
      view: { ...second, at: view.at, peers: merged },
      peer: (name) => clientFor(deps, accepts(name) ? first : earlier, cluster).peer(name),
    },
    problem: merged.some((peer) => peer.reachable && !accepts(peer.name)) ? changed : problem,
  };
}

/** Whether what is missing is the Secret that the operator makes in this pass. */
const unmade = (cluster: QdrantCluster, lookup: SecretLookup): boolean =>
  !isExternal(cluster) &&
  apiKeyReference(cluster).name === keysName(cluster) &&
  lookup(keysName(cluster)) === undefined;

/** Addresses of now with the key that was accepted last. */
function earlierConnection(cluster: QdrantCluster, { accepted }: Memory): Connection | undefined {
  if (accepted === undefined || isExternal(cluster)) return accepted;
  const { name, key } = apiKeyReference(cluster);
  const result = connectionOf(cluster, (secret) => (secret === name ? { [key]: accepted.apiKey ?? '' } : undefined));
  return result.ok ? result.connection : accepted;
}

function secondKeyProblem(cluster: QdrantCluster, lookup: SecretLookup): Problem | undefined {
  if (isExternal(cluster)) return undefined;
  const { name, key } = readOnlyKeyReference(cluster);
  const data = lookup(name);
  if (data === undefined && name === keysName(cluster)) return undefined;
  if (data === undefined) return { reason: 'SecretNotFound', message: `there is no Secret ${name}` };
  const value = data[key];
  if (value === undefined) return { reason: 'SecretKeyMissing', message: `Secret ${name} has no key ${key}` };
  return value.trim() === '' ? { reason: 'SecretEmpty', message: `key ${key} of Secret ${name} is empty` } : undefined;
}

const byName = (peers: readonly PeerView[], name: string): PeerView | undefined =>
  peers.find((peer) => peer.name === name);

const clientFor = ({ pool }: ClusterDeps, connection: Connection, cluster: QdrantCluster): ClusterClient =>
  pool.get(`${namespaceOf(cluster)}/${cluster.metadata.name}/${digestOf(connection).slice(0, 16)}`, connection);

/**
 * A peer that is being stopped isn't asked: one busy connection keeps it alive for 30 s (S5), and what it says isn't
 * true any more.
 */
async function look(
  deps: ClusterDeps,
  { connection, cluster, signal }: { connection: Connection; cluster: QdrantCluster; signal: AbortSignal },
): Promise<ClusterView> {
  const stopping = (name: string): boolean => {
    const pod = deps.informers.pods.store.get({ namespace: namespaceOf(cluster), name });
    return pod?.metadata.deletionTimestamp !== undefined;
  };
  const peers = connection.peers.filter(({ name }) => !stopping(name));
  const client = clientFor(deps, { ...connection, peers }, cluster);
  const view = await observeCluster(client, { signal, now: deps.now });
  const answers = connection.peers.map(
    ({ name }) =>
      byName(view.peers, name) ?? { name, reachable: false as const, error: `${name}: its pod is being stopped` },
  );
  const report = await behindOneAddress({ cluster, client, answers, signal });
  return { at: view.at, peers: answers, ...(report === undefined ? {} : { report }) };
}

/** Members of an external cluster that have no address of their own: what the one that answers tells of them. */
async function behindOneAddress({
  cluster,
  client,
  answers,
  signal,
}: {
  cluster: QdrantCluster;
  client: ClusterClient;
  answers: readonly PeerView[];
  signal: AbortSignal;
}) {
  const [only] = answers;
  if (!isExternal(cluster) || only?.reachable !== true || only.members.length <= answers.length) return undefined;
  return reportOf(client.peer(only.name), { signal });
}

/** Collections asked at once. */
const AT_ONCE = 8;

/** Reads replication factors that aren't known or old; one that can't be read stays unknown. */
async function readFactors(
  deps: ClusterDeps,
  { cluster, memory, signal, view, client }: Subject & { view: ClusterView; client: ClusterClient },
): Promise<void> {
  if (isExternal(cluster)) return;
  const peer = view.peers.find(({ reachable }) => reachable);
  if (peer?.reachable !== true) return;
  const names = new Set(view.peers.flatMap((one) => (one.reachable ? one.collections.map(({ name }) => name) : [])));
  for (const name of memory.factors.keys()) if (!names.has(name)) memory.factors.delete(name);
  const maxAge = deps.settings.resyncSeconds * 1000;
  const due = [...names].filter((name) => deps.now() - (memory.factors.get(name)?.readAt ?? 0) >= maxAge);
  for (let start = 0; start < due.length; start += AT_ONCE) {
    await Promise.all(
      due.slice(start, start + AT_ONCE).map(async (name) => {
        try {
          const info = await client.peer(peer.name).collection(name, { signal, attempts: 1 });
          memory.factors.set(name, { factor: info.config.params.replication_factor ?? 1, readAt: deps.now() });
        } catch (error) {
          signal.throwIfAborted();
          memory.factors.delete(name);
          deps.log.debug({ err: error, collection: name }, 'replication factor could not be read');
        }
      }),
    );
  }
}
