import { type Clock, KubeError, LeaderElector, type LeaderElectorOptions, type Lease } from '../../src/kube/index.ts';
import { ManualClock } from './manual-clock.ts';

type Call = { readonly timeoutSeconds?: number; readonly signal?: AbortSignal };

/** One Lease on a server, and processes that reach it over a network with delays, under one shared time. */
export class LeaseWorld {
  readonly clock = new ManualClock();
  readonly processes: Process[] = [];
  readonly #delays: () => number;
  lease: Lease | undefined;
  #version = 0;

  /** @param delays milliseconds that the next message travels */
  constructor(delays: () => number = () => 5) {
    this.#delays = delays;
  }

  process(identity: string, options: Partial<LeaderElectorOptions> = {}): Process {
    const process = new Process(this, identity, options);
    this.processes.push(process);
    return process;
  }

  get leaders(): string[] {
    return this.processes.filter(({ elector }) => elector.isLeading).map(({ identity }) => identity);
  }

  delay(): number {
    return this.#delays();
  }

  write(lease: Lease): Lease {
    const current = this.lease?.metadata.resourceVersion;
    if (lease.metadata.resourceVersion !== current) throw refused(409, current === undefined ? 'NotFound' : 'Conflict');
    this.#version += 1;
    this.lease = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(this.#version) } };
    return this.lease;
  }
}

export class Process {
  readonly identity: string;
  readonly elector: LeaderElector;
  readonly stop = new AbortController();
  readonly outcomes: string[] = [];
  readonly #world: LeaseWorld;
  readonly #held: (() => void)[] = [];
  #stalledUntil = 0;
  #cutUntil = 0;
  led = 0;
  work: (lost: AbortSignal) => Promise<void> | void = () => undefined;

  constructor(world: LeaseWorld, identity: string, options: Partial<LeaderElectorOptions>) {
    this.#world = world;
    this.identity = identity;
    const client = {
      find: (_type: unknown, _key: unknown, call: Call = {}) => this.#request(() => world.lease, call),
      create: (_type: unknown, lease: Lease, call: Call = {}) => this.#request(() => world.write(lease), call),
      replace: (_type: unknown, lease: Lease, call: Call = {}) => this.#request(() => world.write(lease), call),
    } as unknown as LeaderElectorOptions['client'];
    const own = { client, namespace: 'ns', name: 'lease', identity, clock: this.#clock(), random: () => 0.5 };
    this.elector = new LeaderElector({ ...own, ...options });
  }

  /** Runs for election until stopped; a lost leadership is followed by the next attempt. */
  async run(): Promise<void> {
    const onLeading = (lost: AbortSignal): Promise<void> | void => {
      this.led += 1;
      return this.work(lost);
    };
    while (!this.stop.signal.aborted) this.outcomes.push(await this.elector.run(this.stop.signal, { onLeading }));
  }

  /** Nothing of this process runs for so long: neither timers nor answers. */
  stall(milliseconds: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#world.clock.now() + milliseconds);
    this.#world.clock.after(milliseconds, () => this.#wake());
  }

  /** Nothing travels between this process and the server for so long. */
  cut(milliseconds: number): void {
    this.#cutUntil = Math.max(this.#cutUntil, this.#world.clock.now() + milliseconds);
  }

  #wake(): void {
    while (this.#held.length > 0 && this.#world.clock.now() >= this.#stalledUntil) this.#held.shift()?.();
  }

  #here(action: () => void): void {
    if (this.#world.clock.now() >= this.#stalledUntil) action();
    else this.#held.push(action);
  }

  #clock(): Clock {
    const { clock } = this.#world;
    const after = (milliseconds: number, callback: () => void): (() => void) => {
      let cancelled = false;
      const cancel = clock.after(milliseconds, () => this.#here(() => (cancelled ? undefined : callback())));
      return () => {
        cancelled = true;
        cancel();
      };
    };
    const sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) reject(signal.reason);
        const cancel = after(milliseconds, resolve);
        signal?.addEventListener('abort', () => {
          cancel();
          reject(signal.reason);
        });
      });
    return { now: () => clock.now(), date: () => clock.date(), after, sleep };
  }

  #request<R>(action: () => R, { timeoutSeconds = 30, signal }: Call): Promise<R> {
    const { clock } = this.#world;
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
      clock.after(timeoutSeconds * 1000, () => this.#here(() => reject(refused(0, 'Timeout'))));
      this.#travel(() => {
        const answer = attempt(action);
        this.#travel(() => this.#here(() => (answer.ok ? resolve(answer.value) : reject(answer.error))));
      });
    });
  }

  /** A message that meets a cut network is lost, at either end of its way. */
  #travel(arrive: () => void): void {
    const { clock } = this.#world;
    const open = (): boolean => clock.now() >= this.#cutUntil;
    if (open()) clock.after(this.#world.delay(), () => (open() ? arrive() : undefined));
  }
}

function attempt<R>(action: () => R): { ok: true; value: R } | { ok: false; error: unknown } {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    return { ok: false, error };
  }
}

const refused = (status: number, reason: string): KubeError =>
  new KubeError({ verb: 'update', resource: 'leases', status, reason });
