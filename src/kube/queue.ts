import { backoffDelay } from './backoff.ts';
import { type Clock, systemClock } from './clock.ts';
import { privateRegistry, type Registry } from './metrics.ts';
import { QueueMetrics } from './queue-metrics.ts';

/** Priority of what nobody waits for: the first list and the periodic resync. Source: controller-runtime `LowPriority`. */
export const LOW_PRIORITY = -100;

export type QueueOptions<K> = {
  /** Label of the metrics. */
  readonly name: string;
  /** Keys with the same text are the same key. */
  readonly textOf: (key: K) => string;
  /** Delay after the first failure, in seconds; 0.005 when not given. */
  readonly backoffFloorSeconds?: number;
  /** Longest delay after many failures; 1000 when not given. */
  readonly backoffCeilingSeconds?: number;
  readonly clock?: Pick<Clock, 'now' | 'after'>;
  readonly random?: () => number;
  readonly metrics?: Registry;
};

export type AddOptions = {
  /** Higher comes first; 0 when not given. */
  readonly priority?: number;
  readonly afterSeconds?: number;
};

type Item<K> = {
  readonly key: K;
  readonly id: string;
  priority: number;
  /** When a delayed item becomes due, in clock time; undefined once it is. */
  dueAt: number | undefined;
  cancelTimer: () => void;
  readySince: number;
};

type Waiting<K> = (next: { readonly key: K; readonly priority: number } | undefined) => void;

/**
 * Keys that wait for work: each at most once, none handed out twice at the same time.
 *
 * A key added while it is worked on is handed out again after `done`. A key added again while it waits takes the higher
 * priority and the earlier time. Within a priority the order is the one in which keys became due.
 * Source: controller-runtime `priorityqueue`.
 */
export class WorkQueue<K> {
  readonly #options: QueueOptions<K>;
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #metrics: QueueMetrics;
  readonly #items = new Map<string, Item<K>>();
  /** Due and not being worked on: by priority, in order of becoming due. */
  readonly #ready = new Map<number, Map<string, Item<K>>>();
  readonly #working = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #waiting: Waiting<K>[] = [];
  #closed = false;

  constructor(options: QueueOptions<K>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#metrics = new QueueMetrics(options.metrics ?? privateRegistry(), options.name, () => ({
      now: this.#clock.now(),
      begun: [...this.#working.values()],
    }));
  }

  /** Keys that wait, due or not. */
  get size(): number {
    return this.#items.size;
  }

  /** Keys that `next` would hand out at once. */
  get due(): number {
    return [...this.#ready.values()].reduce((sum, bucket) => sum + bucket.size, 0);
  }

  get working(): number {
    return this.#working.size;
  }

  add(key: K, options: AddOptions = {}): void {
    if (this.#closed) return;
    const { priority = 0, afterSeconds = 0 } = options;
    const id = this.#options.textOf(key);
    const now = this.#clock.now();
    const dueAt = afterSeconds > 0 ? now + afterSeconds * 1000 : undefined;
    const existing = this.#items.get(id);
    if (existing === undefined) {
      const item: Item<K> = { key, id, priority, dueAt, cancelTimer: () => undefined, readySince: now };
      this.#items.set(id, item);
      this.#metrics.added();
      if (dueAt === undefined) this.#becomeReady(item);
      else this.#arm(item, dueAt);
      return;
    }
    this.#raise(existing, priority);
    if (existing.dueAt === undefined) return;
    if (dueAt === undefined) this.#becomeDue(existing);
    else if (dueAt < existing.dueAt) this.#arm(existing, dueAt);
  }

  /**
   * Adds the key with a delay that doubles with each call until `forget`.
   *
   * @param floorSeconds at least this delay, as a server asked for
   */
  addRateLimited(key: K, options: { readonly priority?: number; readonly floorSeconds?: number } = {}): void {
    const id = this.#options.textOf(key);
    const failures = (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, failures);
    this.#metrics.retried();
    const delay = backoffDelay(failures, {
      baseMilliseconds: (this.#options.backoffFloorSeconds ?? 0.005) * 1000,
      maxMilliseconds: (this.#options.backoffCeilingSeconds ?? 1000) * 1000,
      jitter: 0.1,
      random: this.#options.random ?? Math.random,
    });
    const afterSeconds = Math.max(delay / 1000, options.floorSeconds ?? 0);
    this.add(key, { priority: options.priority ?? 0, afterSeconds });
  }

  /** The key did well: its next failure waits the shortest time again. */
  forget(key: K): void {
    this.#failures.delete(this.#options.textOf(key));
  }

  failures(key: K): number {
    return this.#failures.get(this.#options.textOf(key)) ?? 0;
  }

  /** The next due key, when there is one; undefined once the queue is closed. Each must be given back by `done`. */
  next(): Promise<{ readonly key: K; readonly priority: number } | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#handOut();
    });
  }

  done(key: K): void {
    const id = this.#options.textOf(key);
    const begun = this.#working.get(id);
    if (begun === undefined) throw new Error(`${id} is not being worked on`);
    this.#working.delete(id);
    this.#metrics.finished((this.#clock.now() - begun) / 1000);
    const again = this.#items.get(id);
    if (again !== undefined && again.dueAt === undefined) this.#becomeReady(again);
  }

  /** Hands out nothing more; whoever waits gets undefined. */
  close(): void {
    this.#closed = true;
    for (const item of this.#items.values()) item.cancelTimer();
    this.#items.clear();
    this.#ready.clear();
    for (const resolve of this.#waiting.splice(0)) resolve(undefined);
    this.#metrics.close();
  }

  #arm(item: Item<K>, dueAt: number): void {
    item.cancelTimer();
    item.dueAt = dueAt;
    item.cancelTimer = this.#clock.after(Math.max(0, dueAt - this.#clock.now()), () => {
      // A timer can't be longer than 24.8 days, and may be a little early.
      if (this.#clock.now() + 1 < dueAt) this.#arm(item, dueAt);
      else this.#becomeDue(item);
    });
  }

  #becomeDue(item: Item<K>): void {
    item.cancelTimer();
    item.dueAt = undefined;
    this.#becomeReady(item);
  }

  #becomeReady(item: Item<K>): void {
    if (this.#working.has(item.id)) return;
    item.readySince = this.#clock.now();
    this.#bucket(item.priority).set(item.id, item);
    this.#metrics.depth(item.priority, this.#bucket(item.priority).size);
    this.#handOut();
  }

  #raise(item: Item<K>, priority: number): void {
    if (priority <= item.priority) return;
    const waited = this.#leave(item);
    item.priority = priority;
    if (!waited) return;
    this.#bucket(priority).set(item.id, item);
    this.#metrics.depth(priority, this.#bucket(priority).size);
  }

  #handOut(): void {
    while (this.#waiting.length > 0) {
      const item = this.#first();
      if (item === undefined) return;
      this.#leave(item);
      this.#items.delete(item.id);
      const now = this.#clock.now();
      this.#working.set(item.id, now);
      this.#metrics.started((now - item.readySince) / 1000);
      this.#waiting.shift()?.({ key: item.key, priority: item.priority });
    }
  }

  #first(): Item<K> | undefined {
    const priorities = [...this.#ready.keys()].toSorted((a, b) => b - a);
    for (const priority of priorities) {
      const [item] = this.#bucket(priority).values();
      if (item !== undefined) return item;
    }
    return undefined;
  }

  #leave(item: Item<K>): boolean {
    const bucket = this.#bucket(item.priority);
    const waited = bucket.delete(item.id);
    if (waited) this.#metrics.depth(item.priority, bucket.size);
    if (bucket.size === 0) this.#ready.delete(item.priority);
    return waited;
  }

  #bucket(priority: number): Map<string, Item<K>> {
    const bucket = this.#ready.get(priority) ?? new Map<string, Item<K>>();
    this.#ready.set(priority, bucket);
    return bucket;
  }
}
