import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestInfo } from './access/request-info.ts';
import type { User } from './access/user.ts';
import { conflict, expired, MODIFIED, StatusError, tooManyRequests } from './status.ts';

/** Which requests a fault hits: all that fit every named part. */
export type Target = {
  readonly user?: string;
  readonly verbs?: readonly string[];
  /** Plural of the resource, without group. */
  readonly resource?: string;
  readonly name?: string;
  /** Share of the fitting requests, 0 to 1; default 1. */
  readonly share?: number;
  /** How many requests at most; default without end. */
  readonly times?: number;
};

export type Effect =
  | { readonly kind: 'throttle'; readonly retryAfterSeconds: number }
  | { readonly kind: 'error'; readonly status: number; readonly message?: string }
  | { readonly kind: 'delay'; readonly milliseconds: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'conflict' };

/** A watch that a fault can end: with an ERROR event when one is given. */
export type StruckWatch = {
  readonly call: { readonly resource: { readonly plural: string } };
  end(error?: StatusError): void;
};

type Fault = { readonly target: Target; readonly effect: Effect; left: number };
const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Where a fault cuts the connection without an answer. */
export class CutConnection extends Error {}

/** Faults on demand. */
export class Faults {
  readonly #faults = new Set<Fault>();
  readonly #watches = new Set<StruckWatch>();
  readonly #random: () => number;
  #outage: { readonly mode: 'refuse' | '503'; readonly timer: NodeJS.Timeout } | undefined;
  #compact: () => void;
  #cutConnections: () => void = () => {};

  constructor(options: { random?: () => number; compact: () => void }) {
    this.#random = options.random ?? Math.random;
    this.#compact = options.compact;
  }

  /** Tells how to cut all connections; called by the server. */
  connect(cutConnections: () => void): void {
    this.#cutConnections = cutConnections;
  }

  /** Lets an effect hit the target until the returned function is called. */
  inject(target: Target, effect: Effect): () => void {
    const fault: Fault = { target, effect, left: target.times ?? Number.POSITIVE_INFINITY };
    this.#faults.add(fault);
    return () => this.#faults.delete(fault);
  }

  /** No answer at all for a while: connections are cut and refused, or everything answers 503. */
  outage(milliseconds: number, mode: 'refuse' | '503' = 'refuse'): void {
    this.endOutage();
    const timer = setTimeout(() => this.endOutage(), milliseconds);
    timer.unref();
    this.#outage = { mode, timer };
    if (mode === 'refuse') this.#cutConnections();
    else this.cutWatches();
  }

  endOutage(): void {
    clearTimeout(this.#outage?.timer);
    this.#outage = undefined;
  }

  get isRefusing(): boolean {
    return this.#outage?.mode === 'refuse';
  }

  throttle(target: Target & { retryAfterSeconds?: number } = {}): () => void {
    return this.inject(target, { kind: 'throttle', retryAfterSeconds: target.retryAfterSeconds ?? 1 });
  }

  fail(target: Target & { status?: number } = {}): () => void {
    return this.inject(target, { kind: 'error', status: target.status ?? 500 });
  }

  delay(milliseconds: number, target: Target = {}): () => void {
    return this.inject(target, { kind: 'delay', milliseconds });
  }

  /** The next write to a resource meets a conflict. */
  conflictNext(resource: string, times = 1): () => void {
    return this.inject({ resource, verbs: ['update', 'patch'], times }, { kind: 'conflict' });
  }

  /** Cuts all watches, or those of one resource; returns how many. */
  cutWatches(resource?: string): number {
    return this.#endWatches(resource, undefined);
  }

  /** Ends watches with 410 and forgets the past, so that continue tokens and old versions get 410 too. */
  expire(resource?: string): number {
    this.#compact();
    return this.#endWatches(resource, expired('The resourceVersion for the provided watch is too old.'));
  }

  #endWatches(resource: string | undefined, error: StatusError | undefined): number {
    const ended = [...this.#watches].filter(
      (watch) => resource === undefined || watch.call.resource.plural === resource,
    );
    for (const watch of ended) watch.end(error);
    return ended.length;
  }

  clear(): void {
    this.#faults.clear();
    this.endOutage();
  }

  get openWatches(): number {
    return this.#watches.size;
  }

  addWatch(watch: StruckWatch): void {
    this.#watches.add(watch);
  }

  removeWatch(watch: StruckWatch): void {
    this.#watches.delete(watch);
  }

  /** @throws StatusError or CutConnection when a fault hits the request */
  async strike(info: RequestInfo, user: User): Promise<void> {
    if (this.#outage?.mode === '503')
      throw new StatusError(503, 'ServiceUnavailable', 'the server is currently unable to handle the request');
    for (const fault of [...this.#faults]) {
      if (!this.#hits(fault, info, user)) continue;
      fault.left -= 1;
      if (fault.left <= 0) this.#faults.delete(fault);
      await perform(fault.effect, info);
    }
  }

  #hits({ target }: Fault, info: RequestInfo, user: User): boolean {
    if (target.user !== undefined && target.user !== user.name) return false;
    if (target.verbs !== undefined && !target.verbs.includes(info.verb)) return false;
    if (target.resource !== undefined && target.resource !== info.plural) return false;
    if (target.name !== undefined && target.name !== info.name) return false;
    return target.share === undefined || this.#random() < target.share;
  }
}

async function perform(effect: Effect, info: RequestInfo): Promise<void> {
  if (effect.kind === 'delay') await sleep(effect.milliseconds, undefined, { ref: false });
  else if (effect.kind === 'cut') throw new CutConnection();
  else if (effect.kind === 'throttle') {
    throw tooManyRequests(
      'The server has received too many requests and has asked us to try again later',
      effect.retryAfterSeconds,
    );
  } else if (effect.kind === 'conflict') {
    if (WRITES.has(info.verb)) throw conflict({ group: info.group, plural: info.plural }, info.name, MODIFIED);
  } else {
    const reason = effect.status === 500 ? 'InternalError' : effect.status === 503 ? 'ServiceUnavailable' : '';
    throw new StatusError(effect.status, reason, effect.message ?? 'Internal error occurred: injected fault');
  }
}
