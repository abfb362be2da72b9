import { type Logger, silentLogger } from '../telemetry/index.ts';
import type { KubeClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import { heldByOther, heldSpec, type LeaseSpec, type Observation, observe, releasedSpec } from './lease.ts';
import { counter, gauge, privateRegistry, type Registry } from './metrics.ts';
import { apiVersionOf } from './objects.ts';
import { LEASES } from './resources.ts';
import type { Lease } from './wire.ts';

export type LeaderElectorOptions = {
  /** One of its own, so that no queue of other requests delays a renewal. Each request names its own timeout. */
  readonly client: Pick<KubeClient, 'find' | 'create' | 'replace'>;
  readonly namespace: string;
  readonly name: string;
  /** Differs between processes and restarts: host name and a UUID. */
  readonly identity: string;
  /** Others wait so long after the last renewal they saw; 15 when not given. */
  readonly leaseSeconds?: number;
  /** A leader that could not renew for so long is none; 10 when not given. */
  readonly renewSeconds?: number;
  /** Pause between attempts; 2 when not given. */
  readonly retrySeconds?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly log?: Logger;
  readonly metrics?: Registry;
};

export type LeaderHandlers = {
  /**
   * Called once this process leads. `lost` aborts when it no longer does. When the process is told to stop, the lease
   * is kept until what this returns has settled, so that the work can end in order.
   */
  readonly onLeading: (lost: AbortSignal) => Promise<void> | void;
  /** Leadership is lost and another may lead at any moment: end the process. */
  readonly onLost?: () => void;
};

/** Thrown by `assertLeading`. */
export class LeadershipError extends Error {
  override readonly name = 'LeadershipError';
}

/** When a renewal was sent, by both clocks. */
type Renewal = { readonly at: number; readonly date: number };

/** Source: client-go `JitterFactor`. */
const JITTER = 0.2;

/** At most one process leads at a time, by a Lease. Source: client-go `tools/leaderelection`. */
export class LeaderElector {
  readonly #options: LeaderElectorOptions;
  readonly #leaseSeconds: number;
  readonly #renewSeconds: number;
  readonly #retrySeconds: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #status;
  readonly #slowPath;
  #observation: Observation | undefined;
  #renewal: Renewal | undefined;
  #leading = false;

  /** Throws a RangeError unless lease > renew > retry: else two could lead at once, or none for long. */
  constructor(options: LeaderElectorOptions) {
    this.#options = options;
    this.#leaseSeconds = options.leaseSeconds ?? 15;
    this.#renewSeconds = options.renewSeconds ?? 10;
    this.#retrySeconds = options.retrySeconds ?? 2;
    if (this.#leaseSeconds <= this.#renewSeconds || this.#renewSeconds <= this.#retrySeconds * (1 + JITTER)) {
      throw new RangeError('leader election needs leaseSeconds > renewSeconds > 1.2 * retrySeconds');
    }
    this.#clock = options.clock ?? systemClock;
    this.#log = (options.log ?? silentLogger).child({ lease: options.name, identity: options.identity });
    const metrics = options.metrics ?? privateRegistry();
    const labels = { labelNames: ['name'] as const };
    this.#status = gauge(metrics, {
      name: 'leader_election_master_status',
      help: 'Whether the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master.',
      ...labels,
    });
    this.#slowPath = counter(metrics, {
      name: 'leader_election_slowpath_total',
      help: 'Total number of slow path exercised in renewing leader leases.',
      ...labels,
    });
    this.#status.set({ name: options.name }, 0);
    this.#slowPath.inc({ name: options.name }, 0);
  }

  /** True only while no other process can lead, whatever timers were late. */
  get isLeading(): boolean {
    return this.#leading && this.#remaining() > 0;
  }

  /** Throws a LeadershipError unless this process surely leads. */
  assertLeading(): void {
    if (!this.isLeading) throw new LeadershipError(`${this.#options.identity} does not surely lead`);
  }

  /**
   * Waits for the lease, leads, and renews until the signal aborts and the work has ended; then gives the lease up.
   * Rejects with what `onLeading` threw, after giving the lease up.
   *
   * @returns how it ended; `waited`: the signal aborted before this process led
   */
  async run(signal: AbortSignal, handlers: LeaderHandlers): Promise<'waited' | 'released' | 'lost'> {
    if (!(await this.#acquire(signal))) return 'waited';
    this.#setLeading(true);
    this.#log.info({}, 'leading');
    const lost = new AbortController();
    const work = Promise.try(() => handlers.onLeading(lost.signal));
    const over = new AbortController();
    const finish = (): void => over.abort();
    // A failure of the work ends the leadership at once; the rejection itself is awaited below.
    Promise.all([work, aborted(signal)]).then(finish, finish);
    if (await this.#hold(over.signal)) {
      await this.#release();
      await work;
      return 'released';
    }
    this.#setLeading(false);
    this.#log.error({ renewSeconds: this.#renewSeconds }, 'leadership is lost');
    work.catch((error: unknown) => this.#log.warn({ err: error }, 'work failed after the leadership was lost'));
    lost.abort(new LeadershipError('leadership is lost'));
    handlers.onLost?.();
    return 'lost';
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#attempt(signal)) return true;
      await this.#pause(this.#retrySeconds * (1 + JITTER * (this.#options.random ?? Math.random)()), signal);
    }
    return false;
  }

  /** Renews until `over` aborts (true) or the deadline passes (false). */
  async #hold(over: AbortSignal): Promise<boolean> {
    while (!over.aborted) {
      await this.#pause(Math.min(this.#retrySeconds, this.#remaining() / 1000), over);
      if (over.aborted) break;
      // After a stall this comes late: another may lead already, and renewing now would hide that.
      if (this.#remaining() <= 0) return false;
      const deadline = new AbortController();
      const cancel = this.#clock.after(this.#remaining(), () =>
        deadline.abort(new LeadershipError('renewal too late')),
      );
      await this.#attempt(deadline.signal);
      cancel();
    }
    return this.#remaining() > 0;
  }

  /** One try to take or keep the lease; never throws. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#renewDirectly(signal)) || (await this.#readAndWrite(signal));
    } catch (error) {
      if (!signal.aborted || this.#leading) this.#log.warn({ err: error }, 'lease not written');
      return false;
    }
  }

  /** A leader knows the lease, so it writes without reading. Source: client-go `tryAcquireOrRenew`, fast path. */
  async #renewDirectly(signal: AbortSignal): Promise<boolean> {
    if (!this.#leading || this.#observation === undefined) return false;
    try {
      await this.#write(this.#observation.lease, signal);
      return true;
    } catch (error) {
      this.#slowPath.inc({ name: this.#options.name });
      this.#log.info({ err: error }, 'lease changed or unreachable; reading it');
      signal.throwIfAborted();
      return false;
    }
  }

  async #readAndWrite(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity } = this.#options;
    const lease = await client.find(LEASES, { namespace, name }, this.#request(signal));
    if (lease === undefined) {
      await this.#write(undefined, signal);
      return true;
    }
    this.#observation = observe(this.#observation, lease, this.#clock.now());
    const now = this.#clock.now();
    if (heldByOther(this.#observation, { identity, leaseSeconds: this.#leaseSeconds, now })) return false;
    await this.#write(lease, signal);
    return true;
  }

  async #write(before: Lease | undefined, signal: AbortSignal): Promise<void> {
    const { identity } = this.#options;
    // Others count from when they see this write, which is after now.
    const renewal = { at: this.#clock.now(), date: this.#clock.date().getTime() };
    const spec = heldSpec(before?.spec, { identity, leaseSeconds: this.#leaseSeconds, date: this.#clock.date() });
    const written = await this.#put(before, spec, signal);
    this.#observation = { lease: written, at: this.#clock.now() };
    this.#renewal = renewal;
  }

  #put(before: Lease | undefined, spec: LeaseSpec, signal: AbortSignal): Promise<Lease> {
    const { client, namespace, name } = this.#options;
    if (before !== undefined) return client.replace(LEASES, { ...before, spec }, this.#request(signal));
    const lease: Lease = { apiVersion: apiVersionOf(LEASES), kind: 'Lease', metadata: { namespace, name }, spec };
    return client.create(LEASES, lease, this.#request(signal));
  }

  async #release(): Promise<void> {
    const held = this.#observation;
    this.#setLeading(false);
    try {
      const signal = new AbortController().signal;
      if (held !== undefined) await this.#put(held.lease, releasedSpec(held.lease.spec, this.#clock.date()), signal);
      this.#log.info({}, 'leadership is given up');
    } catch (error) {
      this.#log.warn({ err: error }, 'lease not given up; it ends by itself');
    }
  }

  /** Source: controller-runtime: the lease client's timeout is half the renew deadline, so one hung request loses nothing. */
  #request(signal: AbortSignal): { readonly signal: AbortSignal; readonly timeoutSeconds: number } {
    return { signal, timeoutSeconds: Math.max(1, this.#renewSeconds / 2) };
  }

  /** Milliseconds in which this process may still act as leader. */
  #remaining(): number {
    if (this.#renewal === undefined) return 0;
    // The monotonic clock of Linux stands still while a machine is suspended; the wall clock does not.
    const elapsed = Math.max(this.#clock.now() - this.#renewal.at, this.#clock.date().getTime() - this.#renewal.date);
    return this.#renewSeconds * 1000 - elapsed;
  }

  #setLeading(leading: boolean): void {
    this.#leading = leading;
    if (!leading) this.#renewal = undefined;
    this.#status.set({ name: this.#options.name }, leading ? 1 : 0);
  }

  async #pause(seconds: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.max(0, seconds * 1000), signal).catch(() => undefined);
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
