import { type Logger, silentLogger } from '../telemetry/index.ts';
import { backoffDelay } from './backoff.ts';
import type { KubeClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import { KubeError } from './errors.ts';
import { apiVersionOf, type KubeObject, resourceType } from './objects.ts';
import { distinct, type Permission } from './permissions.ts';

export type AccessCheckOptions = {
  readonly client: Pick<KubeClient, 'create'>;
  readonly permissions: readonly Permission[];
  /** Between two looks while something is missing, and at least between two looks in doubt; 30 when not given. */
  readonly retrySeconds?: number;
  /** Called after the first look that was answered, and when what is missing has changed. */
  readonly onChange?: (missing: readonly Permission[]) => void;
  readonly log?: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
};

type Review = KubeObject & {
  spec: { resourceAttributes: Record<string, string> };
  status?: { allowed: boolean };
};

/** Source: authorization.k8s.io/v1. Everybody may create it, by the role `system:basic-user`. */
const REVIEWS = resourceType<Review>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  namespaced: false,
});

/** Answers of a server that does not let this account ask: asking again won't help. */
const UNASKABLE = [403, 404, 405, 501];
const FIRST_RETRY_MILLISECONDS = 500;

/** Asks the API server whether this process's account may do what it needs, and again while something is missing. */
export class AccessCheck {
  readonly #options: AccessCheckOptions;
  readonly #permissions: readonly Permission[];
  readonly #retryMilliseconds: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  #missing: readonly Permission[] | undefined;
  #looked = Promise.withResolvers<void>();
  #doubted = Promise.withResolvers<void>();
  #failures = 0;
  /** Of a look that is not complete: what was answered is not asked again. */
  readonly #answers = new Map<Permission, boolean>();

  constructor(options: AccessCheckOptions) {
    this.#options = options;
    this.#permissions = distinct(options.permissions);
    this.#retryMilliseconds = (options.retrySeconds ?? 30) * 1000;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLogger;
  }

  /** What was not allowed at the last look; undefined before the first one; empty where nobody may ask. */
  get missing(): readonly Permission[] | undefined {
    return this.#missing;
  }

  /** Looks at once; again on a timer while something is missing, and whenever a refusal makes doubtful what was seen. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal);
      await this.#rest(signal);
    }
  }

  /** To be told of each request that was refused with 403. */
  doubt(refusal: KubeError): void {
    // Admission refuses with 403 too, and names causes: a namespace that ends, for one.
    const byAdmission = (refusal.details?.causes ?? []).length > 0;
    if (!byAdmission && !refusal.resource.startsWith(REVIEWS.plural)) this.#doubted.resolve();
  }

  /** Resolves when everything that fits is granted, or the signal aborts. */
  async whenGranted(fits: (permission: Permission) => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && (this.#missing === undefined || this.#missing.some(fits))) {
      await orAborted(this.#looked.promise, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    this.#doubted = Promise.withResolvers();
    try {
      await this.#ask(signal);
      const missing = this.#permissions.filter((permission) => this.#answers.get(permission) === false);
      this.#answers.clear();
      this.#failures = 0;
      this.#publish(missing);
    } catch (error) {
      if (signal.aborted) return;
      this.#failures += 1;
      if (error instanceof KubeError && UNASKABLE.includes(error.status)) {
        this.#log.warn({ err: error }, 'permissions cannot be asked for; a refusal will tell');
        this.#failures = 0;
        this.#answers.clear();
        // What was seen before stands; without any of it nothing is held back.
        this.#missing ??= [];
        this.#wake();
      } else this.#log.warn({ err: error }, 'permissions not checked; trying again');
    }
  }

  /** @throws the first failure, when what could be asked is answered */
  async #ask(signal: AbortSignal): Promise<void> {
    const open = this.#permissions.filter((permission) => !this.#answers.has(permission));
    const asked = open.map(async (permission) => {
      this.#answers.set(permission, await this.#allows(permission, signal));
    });
    const failed = (await Promise.allSettled(asked)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async #allows({ verb, group, resource, namespace, name }: Permission, signal: AbortSignal): Promise<boolean> {
    const [plural = '', subresource = ''] = resource.split('/');
    const review: Review = {
      apiVersion: apiVersionOf(REVIEWS),
      kind: REVIEWS.kind,
      metadata: { name: '' },
      spec: { resourceAttributes: { verb, group, resource: plural, subresource, namespace, name } },
    };
    const { status } = await this.#options.client.create(REVIEWS, review, { signal });
    return status?.allowed === true;
  }

  #publish(missing: readonly Permission[]): void {
    const before = this.#missing;
    this.#missing = missing;
    // Both lists are in the order of the permissions.
    const same =
      before?.length === missing.length && missing.every((permission, index) => permission === before[index]);
    if (!same) this.#options.onChange?.(missing);
    this.#wake();
  }

  #wake(): void {
    this.#looked.resolve();
    this.#looked = Promise.withResolvers();
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const pause = (milliseconds: number) => this.#clock.sleep(milliseconds, signal).catch(() => undefined);
    if (this.#failures > 0) {
      const backoff = { maxMilliseconds: this.#retryMilliseconds, jitter: 0.25 };
      const random = this.#options.random ?? Math.random;
      return pause(backoffDelay(this.#failures, { ...backoff, baseMilliseconds: FIRST_RETRY_MILLISECONDS, random }));
    }
    const least = pause(this.#retryMilliseconds);
    if (this.#missing?.length === 0) await orAborted(this.#doubted.promise, signal);
    await least;
  }
}

async function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const abort = (): void => aborted.resolve();
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener('abort', abort);
}
