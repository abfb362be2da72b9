import type { KubeConfig } from '@kubernetes/client-node';
import type { Logger } from '../telemetry/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Connection } from './connection.ts';
import { withDeadline } from './deadline.ts';
import { errorFromNetwork, errorFromResponse, KubeError, type RequestContext } from './errors.ts';
import { connectionFromClientNode, defaultConnection } from './kubeconfig.ts';
import { Limiter } from './limiter.ts';
import { privateRegistry, type Registry } from './metrics.ts';
import { apiVersionOf, type KubeObject, keyOf, type ObjectKey, type ResourceType } from './objects.ts';
import { collectionPath, objectPath, withQuery } from './paths.ts';
import { DEFAULT_RETRY, type Repeatable, retryDelay } from './retry.ts';
import { type CallTrace, inCallSpan } from './traces.ts';
import { type Method, type RawRequest, type RawResponse, Transport } from './transport.ts';
import { type WatchEvent, watchEvents } from './watch-stream.ts';

export type KubeClientOptions = {
  readonly config: KubeConfig | Connection;
  readonly userAgent?: string;
  /** For one attempt of an ordinary request; 30 when not given. */
  readonly timeoutSeconds?: number;
  /** Ordinary requests at once; 16 when not given. Watches come on top. */
  readonly connections?: number;
  /** How often a failed request is sent again; 4 when not given. */
  readonly maxRetries?: number;
  /** Called for each request and watch that was answered 403. */
  readonly onForbidden?: (error: KubeError) => void;
  readonly metrics?: Registry;
  readonly log?: Logger;
  readonly clock?: Clock;
};

export type RequestOptions = { readonly signal?: AbortSignal; readonly timeoutSeconds?: number };

export type ListOptions = RequestOptions & {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
};

export type ListPage<T> = {
  readonly items: T[];
  readonly resourceVersion: string;
  /** Where the next page begins; absent after the last. */
  readonly continue?: string;
};

export type WriteOptions = RequestOptions & {
  readonly subresource?: string;
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
};
export type ApplyOptions = WriteOptions & { readonly fieldManager: string; readonly force?: boolean };
export type PatchOptions = WriteOptions & { readonly type: 'merge' | 'json' };

export type DeleteOptions = RequestOptions & {
  /** Delete only the object with this uid; else 409. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
};

export type SubresourceOptions = RequestOptions & { readonly method?: Method; readonly body?: unknown };

export type WatchOptions = Omit<ListOptions, 'limit' | 'continue' | 'signal' | 'timeoutSeconds'> & {
  /** After this time the server ends the stream; 290 when not given. */
  readonly watchSeconds?: number;
  readonly bookmarks?: boolean;
};

export type RawOptions = RequestOptions & {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Objects on a page. Source: kube-rs `watcher::Config`. */
const PAGE = 500;
/** A watch is idle when it says nothing for so much longer than the server lets it run. */
const IDLE_GRACE_SECONDS = 5;
const MERGE_PATCH = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const APPLY_PATCH = 'application/apply-patch+yaml';

type Call = RequestOptions &
  Omit<RawRequest, 'body'> & {
    readonly context: RequestContext;
    readonly repeatable: Repeatable;
    readonly body?: unknown;
  };

/**
 * Talks to one API server over one pool of connections.
 *
 * Every method rejects with a `KubeError` when the server refuses or does not answer, and with the reason of
 * `options.signal` when that aborts. 429, 5xx and broken connections are tried again with growing delays, as long as
 * repeating is harmless; `Retry-After` is honoured up to 30 s, a longer one is left to the caller.
 */
export class KubeClient {
  readonly #transport: Transport;
  readonly #limiter: Limiter;
  readonly #timeoutSeconds: number;
  readonly #maxRetries: number;
  readonly #onForbidden: ((error: KubeError) => void) | undefined;
  readonly #log: Logger;
  readonly #clock: Clock;

  constructor(options: KubeClientOptions) {
    const { config } = options;
    this.#transport = new Transport({
      connection: 'credentials' in config ? config : connectionFromClientNode(config),
      userAgent: options.userAgent ?? 'kube',
      metrics: options.metrics ?? privateRegistry(),
    });
    this.#limiter = new Limiter(options.connections ?? 16);
    this.#timeoutSeconds = options.timeoutSeconds ?? 30;
    this.#maxRetries = options.maxRetries ?? DEFAULT_RETRY.maxRetries;
    this.#onForbidden = options.onForbidden;
    this.#log = options.log ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
  }

  /** From $KUBECONFIG, the pod's service account, or ~/.kube/config, in this order. Throws when there is none. */
  static fromDefault(options: Omit<KubeClientOptions, 'config'> = {}): KubeClient {
    return new KubeClient({ ...options, config: defaultConnection() });
  }

  /** Status 404 when the object does not exist. */
  get<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, options: WriteOptions = {}): Promise<T> {
    const path = objectPath(type, key, options.subresource);
    return this.#json({ ...options, ...target('get', type, key), method: 'GET', path, repeatable: 'always' });
  }

  /** Undefined when the object does not exist. */
  async find<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    options: RequestOptions = {},
  ): Promise<T | undefined> {
    try {
      return await this.get(type, key, options);
    } catch (error) {
      if (error instanceof KubeError && error.isNotFound) return undefined;
      throw error;
    }
  }

  /** One page, of 500 objects when no limit is given. Status 410 when `continue` is too old. */
  async list<T extends KubeObject>(type: ResourceType<T>, options: ListOptions = {}): Promise<ListPage<T>> {
    const { namespace, signal, timeoutSeconds, ...query } = options;
    const page = await this.#json<ListBody<T>>({
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      ...target('list', type, { namespace: namespace ?? '', name: '' }),
      method: 'GET',
      path: withQuery(collectionPath(type, namespace), { limit: PAGE, ...query }),
      repeatable: 'always',
    });
    // The server leaves kind and apiVersion out of listed items.
    const identity = { apiVersion: apiVersionOf(type), kind: type.kind };
    const token = page.metadata?.continue;
    return {
      items: (page.items ?? []).map((item) => ({ ...item, ...identity })),
      resourceVersion: page.metadata?.resourceVersion ?? '',
      ...(token === undefined || token === '' ? {} : { continue: token }),
    };
  }

  /** All pages. A list that expires between two pages begins anew. */
  async listAll<T extends KubeObject>(
    type: ResourceType<T>,
    options: Omit<ListOptions, 'continue'> = {},
  ): Promise<T[]> {
    for (let restarts = 0; ; restarts += 1) {
      try {
        return await this.#pages(type, options);
      } catch (error) {
        if (!(error instanceof KubeError && error.isExpired) || restarts >= this.#maxRetries) throw error;
      }
    }
  }

  /** Status 409 with reason `AlreadyExists` when it exists. */
  create<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const key = keyOf(object);
    const path = collectionPath(type, key.namespace);
    return this.#write(type, { verb: 'create', key, method: 'POST', path, body: sendable(type, object) }, options);
  }

  /** Status 409 with reason `Conflict` when `metadata.resourceVersion` is not the current one. */
  replace<T extends KubeObject>(type: ResourceType<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const key = keyOf(object);
    const path = objectPath(type, key, options.subresource);
    return this.#write(type, { verb: 'update', key, method: 'PUT', path, body: sendable(type, object) }, options);
  }

  replaceStatus<T extends KubeObject>(type: ResourceType<T>, object: T, options: RequestOptions = {}): Promise<T> {
    return this.replace(type, object, { ...options, subresource: 'status' });
  }

  /**
   * Server-side apply: the object holds only the fields that `fieldManager` wants to own.
   * `force` (default) takes fields from other managers; without it their ownership is a 409.
   */
  apply<T extends KubeObject>(
    type: ResourceType<T>,
    object: NoInfer<T> | KubeObject,
    options: ApplyOptions,
  ): Promise<T> {
    const key = keyOf(object);
    const path = withQuery(objectPath(type, key, options.subresource), { force: options.force ?? true });
    const body = sendable(type, object);
    return this.#write(type, { verb: 'patch', key, method: 'PATCH', path, body, contentType: APPLY_PATCH }, options);
  }

  /** A `test` operation that fails in a JSON patch is status 422. */
  patch<T extends KubeObject>(type: ResourceType<T>, key: ObjectKey, body: unknown, options: PatchOptions): Promise<T> {
    const path = objectPath(type, key, options.subresource);
    const contentType = options.type === 'merge' ? MERGE_PATCH : JSON_PATCH;
    return this.#write(type, { verb: 'patch', key, method: 'PATCH', path, body, contentType }, options);
  }

  /** An object that does not exist is a success. A precondition that fails is status 409. */
  async delete<T extends KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { uid, resourceVersion, propagationPolicy, gracePeriodSeconds, ...request } = options;
    const preconditions = { uid, resourceVersion };
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy,
      gracePeriodSeconds,
      ...(uid === undefined && resourceVersion === undefined ? {} : { preconditions }),
    };
    try {
      await this.#json({
        ...request,
        ...target('delete', type, key),
        method: 'DELETE',
        path: objectPath(type, key),
        body,
        // Without a uid the second request could hit a successor of the same name.
        repeatable: uid === undefined ? 'whenRefused' : 'always',
      });
    } catch (error) {
      if (!(error instanceof KubeError && error.isNotFound)) throw error;
    }
  }

  /**
   * A subresource with a type of its own: `scale`, `eviction`, `token`. GET without a body, else POST, when no method
   * is given. What PATCH sends is a merge patch.
   */
  subresource<R, T extends KubeObject = KubeObject>(
    type: ResourceType<T>,
    key: ObjectKey,
    name: string,
    options: SubresourceOptions = {},
  ): Promise<R> {
    const method = options.method ?? (options.body === undefined ? 'GET' : 'POST');
    const { context } = target(VERBS[method], type, key);
    return this.#json({
      ...options,
      context: { ...context, resource: `${context.resource}/${name}` },
      method,
      path: objectPath(type, key, name),
      ...(method === 'PATCH' ? { contentType: MERGE_PATCH } : {}),
      repeatable: method === 'GET' || method === 'PUT' ? 'always' : 'whenRefused',
    });
  }

  /**
   * One watch, until the server ends it or the signal aborts. Low level: it does not reconnect; see `Informer`.
   * Throws a KubeError when it can't begin (410: version too old) or breaks off.
   */
  async *watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { namespace, bookmarks = true, watchSeconds = 290, ...query } = options;
    const { context } = target('watch', type, { namespace: namespace ?? '', name: '' });
    const path = withQuery(collectionPath(type, namespace), {
      ...query,
      watch: true,
      allowWatchBookmarks: bookmarks,
      timeoutSeconds: watchSeconds,
    });
    let response: RawResponse;
    try {
      response = await withDeadline(this.#timeoutSeconds * 1000, signal, async (connecting) => {
        const answer = await this.#transport.send({ method: 'GET', path }, connecting);
        if (answer.status !== 200) throw this.#refused(await refusal(context, answer));
        return answer;
      });
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof KubeError ? error : errorFromNetwork(context, error);
    }
    const idleMilliseconds = (watchSeconds + IDLE_GRACE_SECONDS) * 1000;
    yield* watchEvents<T>(response.body, context, { idleMilliseconds, signal });
  }

  /** Any request, sent once; any status is an answer. For discovery, logs and contract tests. */
  async raw(
    method: Method,
    path: string,
    options: RawOptions = {},
  ): Promise<{ status: number; headers: RawResponse['headers']; text: string }> {
    const { body, signal, timeoutSeconds, ...rest } = options;
    const context = { verb: method, resource: path.split('?')[0] ?? path };
    return this.#once({ ...rest, method, path, context, repeatable: 'whenRefused', body }, { signal, timeoutSeconds });
  }

  /** Ends every request and watch of this client. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  async #pages<T extends KubeObject>(type: ResourceType<T>, options: ListOptions): Promise<T[]> {
    const items: T[] = [];
    let next: string | undefined;
    do {
      const page: ListPage<T> = await this.list(type, {
        ...options,
        ...(next === undefined ? {} : { continue: next }),
      });
      for (const item of page.items) items.push(item);
      next = page.continue;
    } while (next !== undefined);
    return items;
  }

  #write<T extends KubeObject>(
    type: ResourceType<T>,
    request: {
      readonly verb: string;
      readonly key: ObjectKey;
      readonly method: Method;
      readonly path: string;
      readonly body: unknown;
      readonly contentType?: string;
    },
    options: WriteOptions,
  ): Promise<T> {
    const { verb, key, ...rest } = request;
    const repeatable = rest.method === 'POST' || rest.contentType === JSON_PATCH ? 'whenRefused' : 'always';
    const { fieldManager, dryRun } = options;
    const glue = rest.path.includes('?') ? '&' : '?';
    const query = withQuery('', { fieldManager, dryRun: dryRun === true ? 'All' : undefined }).slice(1);
    const path = query === '' ? rest.path : rest.path + glue + query;
    return this.#json({ ...options, ...target(verb, type, key), ...rest, path, repeatable });
  }

  #json<R>(call: Call): Promise<R> {
    return inCallSpan(call, (traced) => this.#attempts<R>({ ...call, ...traced }));
  }

  async #attempts<R>(call: Call & CallTrace): Promise<R> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt<R>(call);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        const { repeatable } = call;
        const limits = { ...DEFAULT_RETRY, maxRetries: this.#maxRetries };
        const delay = retryDelay(error, { repeatable, attempt, random: Math.random }, limits);
        if (delay === undefined) throw error;
        this.#log.debug({ err: error, attempt, delayMilliseconds: Math.round(delay) }, 'request is sent again');
        await this.#clock.sleep(delay, call.signal);
      }
    }
  }

  async #attempt<R>({ answered, ...call }: Call & CallTrace): Promise<R> {
    const { status, headers, text } = await this.#once(call, call);
    answered?.(status);
    const retryAfter = retryAfterOf(headers);
    if (status >= 400) throw this.#refused(errorFromResponse(call.context, { status, text, retryAfter }));
    try {
      return JSON.parse(text) as R;
    } catch (cause) {
      throw new KubeError({ ...call.context, status: 0, reason: 'InvalidBody', cause });
    }
  }

  #refused(error: KubeError): KubeError {
    if (error.isForbidden) this.#onForbidden?.(error);
    return error;
  }

  async #once(
    call: Call,
    options: { readonly signal?: AbortSignal | undefined; readonly timeoutSeconds?: number | undefined },
  ): Promise<{ status: number; headers: RawResponse['headers']; text: string }> {
    const { context, repeatable: _, body, ...request } = call;
    const sent = { ...request, ...(body === undefined ? {} : { body: textOf(body) }) };
    const release = await this.#limiter.acquire(options.signal);
    try {
      const seconds = options.timeoutSeconds ?? this.#timeoutSeconds;
      return await withDeadline(seconds * 1000, options.signal, async (signal) => {
        const { status, headers, body: answer } = await this.#transport.send(sent, signal);
        return { status, headers, text: await answer.text() };
      });
    } catch (error) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      throw errorFromNetwork(context, error);
    } finally {
      release();
    }
  }
}

async function refusal(context: RequestContext, response: RawResponse): Promise<KubeError> {
  const text = await response.body.text();
  return errorFromResponse(context, { status: response.status, text, retryAfter: retryAfterOf(response.headers) });
}

type ListBody<T> = { metadata?: { resourceVersion?: string; continue?: string }; items?: T[] | null };

/** RBAC's verb for each method. */
const VERBS: Readonly<Record<Method, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

function target<T extends KubeObject>(
  verb: string,
  type: ResourceType<T>,
  key: ObjectKey,
): { context: RequestContext } {
  const resource = type.group === '' ? type.plural : `${type.plural}.${type.group}`;
  const name = type.namespaced && key.namespace !== '' ? `${key.namespace}/${key.name}` : key.name;
  return { context: { verb, resource, target: name } };
}

/** With its type named, and without `managedFields`, which the server refuses in an apply. */
function sendable<T extends KubeObject>(type: ResourceType<T>, object: KubeObject): unknown {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, apiVersion: apiVersionOf(type), kind: type.kind, metadata };
}

const textOf = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body));

function retryAfterOf(headers: RawResponse['headers']): string | undefined {
  const value = headers['retry-after'];
  return Array.isArray(value) ? value[0] : value;
}
