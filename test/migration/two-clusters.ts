import { createHash, randomUUID } from 'node:crypto';
import { systemClock } from '../../src/kube/index.ts';
import { continued, Keeper, type ProgressStore } from '../../src/migration/keeper.ts';
import { newProgress, type Progress } from '../../src/migration/progress.ts';
import { copyAsShards, type ShardPhase } from '../../src/migration/shard-phase.ts';
import { type SnapshotBaseOptions, snapshotBase } from '../../src/migration/snapshot-base.ts';
import { ClusterClient } from '../../src/qdrant/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { type Peer, Peers, settled } from '../sandbox/qdrant/peers.ts';

export const SHAPE = { vectors: { size: 3, distance: 'Dot' }, shard_number: 2, replication_factor: 2 };
export const CHANGE = 'u/2';
const MARK = { uid: 'u', namespace: 'n', name: 'docs', generation: 2 };

export type Ends = Awaited<ReturnType<typeof twoClusters>>;

/** Two clusters of two peers each, on the embedded engine or on the Qdrant that QDRANT_BIN names. */
export async function twoClusters(
  env: { readonly source?: NodeJS.ProcessEnv; readonly target?: NodeJS.ProcessEnv } = {},
) {
  const all = { source: new Peers(env.source), target: new Peers(env.target) };
  const [source, target] = await Promise.all([all.source.cluster(2), all.target.cluster(2)]);
  const connect = (peers: readonly Peer[], name: string, apiKey?: string) =>
    new ClusterClient(
      {
        peers: peers.map(({ url }, at) => ({ name: `${name}-${at}`, rest: url })),
        ...(apiKey === undefined ? {} : { apiKey }),
      },
      { retry: { attempts: 1 } },
    );
  return {
    source,
    target,
    connect,
    clients: { source: connect(source, 'from'), target: connect(target, 'to') },
    close: async () => {
      await Promise.all([all.source.close(), all.target.close()]);
    },
  };
}

export const points = (ids: readonly number[]): object[] =>
  ids.map((id) => ({ id, vector: [id % 7, 1, 2], payload: { n: id, city: `c${id % 3}` } }));
export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

/** A filled collection on the source and the empty one that a change has made on the target. */
export async function collections(
  { source: [from], target: [to], ...ends }: Ends,
  name: string,
  body: object = {},
): Promise<void> {
  await from?.ok('PUT', `/collections/${name}`, SHAPE);
  await from?.ok('PUT', `/collections/${name}/index?wait=true`, { field_name: 'city', field_schema: 'keyword' });
  await from?.ok('PUT', `/collections/${name}/points?wait=true`, { points: points(range(0, 600)) });
  await to?.ok('PUT', `/collections/${name}`, { ...SHAPE, metadata: { 'qdrant-librarian': MARK }, ...body });
  await to?.ok('PUT', `/collections/${name}/index?wait=true`, { field_name: 'n', field_schema: 'integer' });
  await settled(ends.clients.source.peers.length > 0 && from !== undefined ? [from] : [], name);
}

/** Progress of one change as its ConfigMap would hold it. */
export function memoryStore(): ProgressStore<Progress> & { progress: Progress | undefined } {
  let version = 0;
  return {
    progress: undefined,
    read() {
      return Promise.resolve({ progress: this.progress, version: String(version) });
    },
    write(progress) {
      this.progress = structuredClone(progress);
      version += 1;
      return Promise.resolve(String(version));
    },
  };
}

export type Attempt = {
  readonly store?: ReturnType<typeof memoryStore>;
  readonly signal?: AbortSignal;
  /** Called with each line of the log. */
  readonly onLine?: (line: string) => void;
  readonly options?: Partial<SnapshotBaseOptions>;
};

/** One worker's attempt at the bulk of the data. */
export async function attempt(ends: Ends, collection: string, attempted: Attempt = {}) {
  const { store = memoryStore(), signal = new AbortController().signal, onLine = () => {} } = attempted;
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line);
    onLine(line);
  };
  const log = createLogger('info', { write });
  const keeper = await Keeper.takeOver<Progress>({
    store,
    begin: continued(CHANGE, newProgress),
    identity: { id: randomUUID(), pod: 'worker' },
    timing: systemClock,
    log,
    signal,
    leaseMilliseconds: 20_000,
  });
  const snapshots = snapshotBase({
    source: { client: ends.clients.source, collection },
    target: { client: ends.clients.target, collection },
    change: CHANGE,
    wish: 'Auto',
    ...attempted.options,
  });
  const phase: ShardPhase = { snapshots, keeper, timing: systemClock, log, signal };
  const result = await copyAsShards(phase).then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  );
  await keeper.save();
  const base = store.progress?.base;
  return { ...result, store, base, lines, said: (text: string) => lines.filter((line) => line.includes(text)).length };
}

/** A hash of all points as each peer reads them, which prefers its own replica. */
export async function contents(peers: readonly Peer[], name: string): Promise<string[]> {
  const texts: string[] = [];
  for (const peer of peers) {
    const { points: found } = await peer.ok<{ points: object[] }>('POST', `/collections/${name}/points/scroll`, {
      limit: 10_000,
      with_vector: true,
    });
    texts.push(`${found.length} points ${createHash('sha256').update(canonical(found)).digest('hex').slice(0, 16)}`);
  }
  return texts;
}

/** Names of shard snapshots that lie on the peers. */
export async function files(peers: readonly Peer[], name: string): Promise<string[]> {
  const lists: { name: string }[] = [];
  for (const peer of peers)
    for (const shard of [0, 1])
      lists.push(...(await peer.ok<{ name: string }[]>('GET', `/collections/${name}/shards/${shard}/snapshots`)));
  return lists.map((file) => file.name);
}

/** Qdrant gives the fields of a payload in any order. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => a.localeCompare(b)))
      : inner,
  );
