import type { Timing } from '../../src/migration/keeper.ts';
import { ProgressConflict, type ProgressStore } from '../../src/migration/keeper.ts';
import type { Progress } from '../../src/migration/progress.ts';
import { IDENTITY } from '../../src/migration/projection.ts';
import { positionOf } from '../../src/migration/ranges.ts';
import type { Side, SideState } from '../../src/migration/side.ts';
import type { CopySettings } from '../../src/migration/task.ts';
import type { Point, PointId } from '../../src/qdrant/types.ts';

/** Of a copy that is over soon, with pages that hold little. */
export const COPY_SETTINGS: CopySettings = {
  lanes: 2,
  pageSize: 4,
  projection: IDENTITY,
  alias: 'docs',
  settleMilliseconds: 100,
  blindSettleMilliseconds: 400,
  pollMilliseconds: 50,
  drainMilliseconds: 3000,
  minPauseMilliseconds: 200,
  maxPauseMilliseconds: 1000,
  maxFreezeMilliseconds: 20_000,
  leaseMilliseconds: 10_000,
  rememberPoints: 1000,
};

/** Time that passes only when nothing else can happen. */
export class VirtualTime implements Timing {
  #now = 0;
  #timers: { at: number; resolve: () => void }[] = [];
  #pumping = false;

  now(): number {
    return this.#now;
  }

  async sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve) => {
      this.#timers.push({ at: this.#now + milliseconds, resolve });
      signal?.addEventListener('abort', () => resolve(), { once: true });
      this.#pump();
    });
    signal?.throwIfAborted();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      this.#timers.sort((a, b) => a.at - b.at);
      const next = this.#timers.shift();
      if (next === undefined) return;
      this.#now = Math.max(this.#now, next.at);
      next.resolve();
      this.#pump();
    });
  }
}

/** What a killed process throws when it would go on. */
export class Killed extends Error {}

const PEERS = [0, 1];

/** One collection of the fake cluster. */
export class FakeCollection {
  readonly name: string;
  readonly points = new Map<bigint, Point>();
  /** Of each point the number of its last change. */
  readonly versions = new Map<bigint, number>();
  /** Undefined: versions say nothing. */
  lineage: string | undefined = 'as it was made';
  #log = 0;
  #fence: string | undefined;
  /** Writes that each peer's limiter still lets through; the limiter of a new fence is full. */
  tokens = new Map<number, number>();
  /** Replicas that are not Active. */
  inactive: string[] = [];
  readable = true;
  exists = true;

  constructor(name: string) {
    this.name = name;
  }

  get fence(): string | undefined {
    return this.#fence;
  }

  set fence(nonce: string | undefined) {
    this.#fence = nonce;
    this.tokens = new Map(nonce === undefined ? [] : PEERS.map((peer) => [peer, 1]));
  }

  /** Whether the limiter of a peer lets one write pass. */
  admit(peer: number): boolean {
    if (this.#fence === undefined) return true;
    const left = this.tokens.get(peer) ?? 0;
    this.tokens.set(peer, Math.max(0, left - 1));
    if (left > 0) this.#log += 1;
    return left > 0;
  }

  put(point: Point): void {
    this.points.set(positionOf(point.id), point);
    this.#log += 1;
    this.versions.set(positionOf(point.id), this.#log);
  }

  /** Writes taken so far, those that changed nothing among them. */
  get stamp(): number {
    return this.#log;
  }

  drop(id: PointId): void {
    this.#log += 1;
    this.points.delete(positionOf(id));
    this.versions.delete(positionOf(id));
  }

  sorted(): Point[] {
    return [...this.points.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, point]) => point);
  }
}

/** Two collections, an alias, a ConfigMap: all that survives a worker. */
export class FakeWorld {
  readonly time = new VirtualTime();
  readonly source = new FakeCollection('docs--g1');
  readonly target = new FakeCollection('docs--g2');
  alias = 'docs--g1';
  progress: string | undefined;
  version = 0;
  /** Times at which the progress was written. */
  readonly writes: number[] = [];

  get active(): FakeCollection {
    return this.alias === this.source.name ? this.source : this.target;
  }

  /** A client's write through the alias and a peer; false when the fence refuses it. */
  write(change: (collection: FakeCollection) => void, peer = 0): boolean {
    if (!this.active.admit(peer)) return false;
    change(this.active);
    return true;
  }
}

/** Called before (`'before'`) and after (`'after'`) each call of a worker; throws to kill it. */
export type Hook = (call: string, moment: 'before' | 'after') => void | Promise<void>;

/** The fake world as one incarnation of a worker reaches it. */
export function connect(
  world: FakeWorld,
  hook: Hook = () => {},
): { source: Side; target: Side; store: ProgressStore<Progress> } {
  const call = async <T>(name: string, action: () => T): Promise<T> => {
    await Promise.resolve();
    await hook(name, 'before');
    const result = action();
    await hook(name, 'after');
    return result;
  };
  const side = (collection: FakeCollection, name: string): Side => ({
    collection: collection.name,
    page: (offset, limit) =>
      call(`${name}.page`, () => {
        const from = offset === undefined ? -1n : positionOf(offset);
        const rest = collection.sorted().filter(({ id }) => positionOf(id) >= from);
        const visible = collection.readable ? rest : rest.filter((_, at) => at % 2 === 0);
        return { points: visible.slice(0, limit), nextOffset: visible[limit]?.id };
      }),
    inventory: (offset, limit) =>
      call(`${name}.inventory`, () => {
        const from = offset === undefined ? -1n : positionOf(offset);
        const rest = collection.sorted().filter(({ id }) => positionOf(id) >= from);
        const items = rest.slice(0, limit).map(({ id }) => ({ id, version: collection.versions.get(positionOf(id)) }));
        return { items, nextOffset: rest[limit]?.id };
      }),
    retrieve: (points) =>
      call(`${name}.retrieve`, () =>
        points.flatMap(({ id }) => {
          const point = collection.points.get(positionOf(id));
          return point === undefined ? [] : [point];
        }),
      ),
    stamp: () => call(`${name}.stamp`, () => collection.stamp),
    lineage: () => call(`${name}.lineage`, () => collection.lineage),
    upsert: (points) =>
      call(`${name}.upsert`, () => {
        for (const point of points) collection.put(point);
      }),
    remove: (ids) =>
      call(`${name}.remove`, () => {
        for (const id of ids) collection.drop(id);
      }),
    count: () => call(`${name}.count`, () => collection.points.size),
    state: () => call(`${name}.state`, () => stateOf(world, collection)),
    probeWrites: () =>
      call(`${name}.probe`, () => {
        const passed = PEERS.filter((peer) => collection.admit(peer)).length;
        return { passed, refused: PEERS.length - passed, unclear: undefined };
      }),
  });
  return {
    source: side(world.source, 'source'),
    target: side(world.target, 'target'),
    store: {
      read: () =>
        call('store.read', () => ({
          progress: world.progress === undefined ? undefined : (JSON.parse(world.progress) as Progress),
          version: String(world.version),
        })),
      write: (progress, version) =>
        call('store.write', () => {
          if (version !== String(world.version)) throw new ProgressConflict('somebody else has written');
          world.progress = JSON.stringify(progress);
          world.version += 1;
          world.writes.push(world.time.now());
          return String(world.version);
        }),
    },
  };
}

const stateOf = (world: FakeWorld, collection: FakeCollection): SideState => ({
  silent: [],
  peers: PEERS.map((peer) => ({
    peer: `docs-${peer}`,
    exists: collection.exists,
    unreadableShards: collection.readable ? [] : [1],
    inactive: collection.inactive,
    transfers: 0,
    fence: collection.fence,
    updateQueue: 0,
    aliases: world.alias === collection.name ? ['docs'] : [],
  })),
});
