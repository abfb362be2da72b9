import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ENGINE = join(import.meta.dirname, '../../../sandbox/qdrant/main.ts');
const COMPILE_CACHE = join(import.meta.dirname, '../../../node_modules/.cache/qdrant-engine');
/** A real server for the same tests. */
export const REAL_BINARY = process.env.QDRANT_BIN;
const START_MILLISECONDS = 20_000;

export type Answer<T = unknown> = {
  readonly status: number;
  readonly body: T;
  readonly text: string;
  readonly headers: Headers;
};
export type Body = { readonly result: unknown; readonly status: unknown };

/** One peer of a test: a process of its own on a loopback address of its own. */
export class Peer {
  readonly host: string;
  readonly directory: string;
  readonly #env: NodeJS.ProcessEnv;
  process: ChildProcess | undefined;
  log = '';

  constructor(host: string, directory: string, env: NodeJS.ProcessEnv) {
    this.host = host;
    this.directory = directory;
    this.#env = env;
  }

  get uri(): string {
    return `http://${this.host}:6335`;
  }

  get url(): string {
    return `http://${this.host}:6333`;
  }

  /** Starts the process; resolves when REST answers, or with the exit status when it ends before. */
  async start(options: { bootstrap?: Peer; env?: NodeJS.ProcessEnv } = {}): Promise<number | undefined> {
    const args = ['--uri', this.uri, ...(options.bootstrap ? ['--bootstrap', options.bootstrap.uri] : [])];
    const env = { ...process.env, ...this.#env, ...options.env };
    await mkdir(this.directory, { recursive: true });
    const [file, rest] = REAL_BINARY ? [REAL_BINARY, args] : [process.execPath, [ENGINE, ...args]];
    const child = spawn(file, rest, { cwd: this.directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    this.log = '';
    child.stdout.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    const exited = once(child, 'exit').then(([code]) => Number(code));
    return await Promise.race([exited, this.#answers()]);
  }

  async #answers(): Promise<undefined> {
    await until(async () => (await fetch(`${this.url}/healthz`)).ok, { milliseconds: START_MILLISECONDS, every: 30 });
    return undefined;
  }

  /** Ends the process; resolves with its exit status when it is gone. */
  async stop(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number | null> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }

  /** An empty volume: what is left when a disk is lost. */
  loseVolume(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  async call<T = Body>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, body: json ? JSON.parse(text) : undefined, text, headers: response.headers };
  }

  /** The result of a call that must succeed. */
  async ok<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call<{ result: T }>(method, path, body);
    if (answer.status !== 200) throw new Error(`${method} ${path} on ${this.host}: ${answer.status} ${answer.text}`);
    return answer.body.result;
  }

  async id(): Promise<number> {
    return (await this.cluster()).peer_id;
  }

  cluster(): Promise<ClusterInfo> {
    return this.ok('GET', '/cluster');
  }

  view(collection: string): Promise<CollectionView> {
    return this.ok('GET', `/collections/${collection}/cluster`);
  }

  async count(collection: string): Promise<number> {
    return (await this.ok<{ count: number }>('POST', `/collections/${collection}/points/count`, { exact: true })).count;
  }
}

export type ClusterInfo = {
  readonly peer_id: number;
  readonly peers: Record<string, { uri: string }>;
  readonly raft_info: { term: number; commit: number; leader: number | null; role: string | null; is_voter: boolean };
  readonly consensus_thread_status: { consensus_thread_status: string; err?: string };
  readonly message_send_failures: Record<string, object>;
};
export type CollectionView = {
  readonly shard_count: number;
  readonly local_shards: { shard_id: number; state: string; points_count: number; shard_key?: string }[];
  readonly remote_shards: { shard_id: number; peer_id: number; state: string; shard_key?: string }[];
  readonly shard_transfers: {
    shard_id: number;
    from: number;
    to: number;
    sync: boolean;
    method: string;
    comment?: string;
  }[];
};

/** A directory and a network of its own, and everything started in it, gone with `close`. */
export class Peers {
  #root: string | undefined;
  readonly all: Peer[] = [];
  readonly #network = `127.${randomInt(2, 250)}.${randomInt(1, 250)}`;
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.#env = env;
  }

  /** A peer that was not started yet. */
  add(env: NodeJS.ProcessEnv = {}): Peer {
    this.#root ??= mkdtempSync(join(tmpdir(), 'qdrant-engine-'));
    const host = `${this.#network}.${this.all.length + 1}`;
    const peer = new Peer(host, join(this.#root, String(this.all.length)), {
      QDRANT__SERVICE__HOST: host,
      QDRANT__CLUSTER__ENABLED: 'true',
      QDRANT__TELEMETRY_DISABLED: 'true',
      QDRANT__LOG_LEVEL: 'WARN',
      // Compiling the engine anew for each process costs more than all the rest.
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...this.#env,
      ...env,
    });
    this.all.push(peer);
    return peer;
  }

  /** A cluster of started, ready peers. */
  async cluster(size: number): Promise<Peer[]> {
    const first = this.add();
    await first.start();
    const peers = [first];
    while (peers.length < size) {
      const peer = this.add();
      await peer.start({ bootstrap: first });
      peers.push(peer);
    }
    await Promise.all(peers.map((peer) => until(async () => (await peer.call('GET', '/readyz')).status === 200)));
    return peers;
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((peer) => peer.stop()));
    if (this.#root !== undefined) rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Polls until a condition holds; a throw counts as not yet. */
export async function until(
  condition: () => Promise<boolean> | boolean,
  options: { milliseconds?: number; every?: number } = {},
): Promise<void> {
  const { milliseconds = 15_000, every = 20 } = options;
  const deadline = Date.now() + milliseconds;
  let last: unknown;
  for (;;) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(
        `not within ${milliseconds} ms: ${condition.toString()} ${last instanceof Error ? last.message : ''}`,
      );
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** Every replica of a collection as all the given peers agree on it: `shard/peer -> state`. */
export async function agreedStates(
  peers: readonly Peer[],
  collection: string,
): Promise<Map<string, string> | undefined> {
  const views = await Promise.all(peers.map(async (peer) => statesOf(await peer.view(collection), await peer.id())));
  const texts = views.map((view) => JSON.stringify([...view].toSorted(([x], [y]) => x.localeCompare(y))));
  return new Set(texts).size === 1 ? views[0] : undefined;
}

export function statesOf(view: CollectionView, peerId: number): Map<string, string> {
  return new Map([
    ...view.local_shards.map(({ shard_id, state }) => [`${shard_id}/${peerId}`, state] as const),
    ...view.remote_shards.map(({ shard_id, peer_id, state }) => [`${shard_id}/${peer_id}`, state] as const),
  ]);
}

/** All replicas Active in all views and no transfer running. */
export async function settled(peers: readonly Peer[], collection: string): Promise<void> {
  await until(async () => {
    const states = await agreedStates(peers, collection);
    if (!states || [...states.values()].some((state) => state !== 'Active')) return false;
    const views = await Promise.all(peers.map((peer) => peer.view(collection)));
    return views.every((view) => view.shard_transfers.length === 0);
  });
}

export const point = (id: number): object => ({ id, vector: [id % 7, 1, 2], payload: { n: id } });

/** Upserts points one request per id list and returns the ids that were acknowledged. */
export async function upsert(peer: Peer, collection: string, ids: readonly number[]): Promise<number> {
  const answer = await peer.call('PUT', `/collections/${collection}/points?wait=true`, { points: ids.map(point) });
  return answer.status;
}

/** A leader among these peers that all of them follow: after a kill a proposal would be lost with the old one. */
export async function led(peers: readonly Peer[]): Promise<void> {
  await until(async () => {
    const infos = await Promise.all(peers.map((peer) => peer.cluster()));
    const leaders = new Set(infos.map(({ raft_info }) => raft_info.leader));
    return leaders.size === 1 && infos.some(({ raft_info }) => raft_info.role === 'Leader');
  });
}
