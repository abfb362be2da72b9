import type { Readable } from 'node:stream';
import { type Context, context, propagation } from '@opentelemetry/api';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type ForwardMethod, stringifyJson } from '../qdrant/index.ts';
import { inSpan, type Logger, SpanKind, tracerOf } from '../telemetry/index.ts';
import { type Address, addressOf } from './address.ts';
import type { BodyKeeper } from './body.ts';
import type { Doors } from './doors.ts';
import { GatewayError } from './errors.ts';
import { answeredHeaders, sentHeaders } from './headers.ts';
import { givenKey } from './keys.ts';
import type { Library } from './libraries.ts';
import type { Listing } from './listing.ts';
import type { GatewayMetrics } from './metrics.ts';
import type { Passage } from './passage.ts';
import type { Room } from './room.ts';

const tracer = tracerOf('qdrant-librarian.gateway');

export type Rooms = { readonly read: Room; readonly write: Room; readonly search: Room };

/** Answers a search across libraries. */
export type SearchHandler = (asked: {
  readonly namespace: string;
  readonly key: string | undefined;
  readonly body: Readable;
  readonly length: number | undefined;
  readonly signal: AbortSignal;
}) => Promise<unknown>;

export type ServerDeps = {
  readonly defaultNamespace: string;
  readonly doors: Doors;
  readonly listing: Listing;
  readonly passage: Passage;
  readonly bodies: BodyKeeper;
  readonly rooms: Rooms;
  readonly search: SearchHandler;
  /** Told of each write that a cluster took. */
  readonly wrote: (library: Library) => void;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  /** Why not to count on this process; undefined when nothing is wrong. */
  readonly unready: () => string | undefined;
  /** Clients are told to leave, but served. */
  readonly leaving: () => boolean;
};

/** A body is the raw stream, whatever its type says: what Qdrant gets is what the client sent. */
type Raw = FastifyRequest & { readonly body: Readable | undefined };

const HEADERS_MILLISECONDS = 30_000;

/** The HTTP server of the gateway; not listening yet. */
export function gatewayServer(deps: ServerDeps): FastifyInstance {
  const server = fastify({
    logger: false,
    // Proxies and clients close first: a connection that both close at once loses a request.
    keepAliveTimeout: 75_000,
    http: { headersTimeout: HEADERS_MILLISECONDS, requestTimeout: 0 },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: false },
  });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  for (const path of ['/healthz', '/livez']) server.get(path, async () => 'healthz check passed');
  server.get('/readyz', async (_request, reply) => {
    const why = deps.unready();
    return reply.code(why === undefined ? 200 : 503).send(why === undefined ? 'ready' : `not ready: ${why}`);
  });
  server.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '*',
    handler: (request, reply) => answer(deps, request as Raw, reply),
  });
  // Asked when the answer goes out: a request may have waited since before the end began.
  server.addHook('onSend', async (_request, reply) => {
    if (deps.leaving()) reply.header('connection', 'close');
  });
  server.setErrorHandler((error, _request, reply) => refuse(reply, asGatewayError(error)));
  return server;
}

async function answer(deps: ServerDeps, request: Raw, reply: FastifyReply): Promise<FastifyReply> {
  const began = performance.now();
  const { metrics, log } = deps;
  let operation = 'unknown';
  const parent: Context = propagation.extract(context.active(), request.headers);
  try {
    return await context.with(parent, () =>
      inSpan(tracer, { name: 'gateway request', kind: SpanKind.SERVER }, async (span) => {
        const { method } = request;
        const address = addressOf(method, pathOf(request), deps.defaultNamespace);
        operation = address.kind === 'collection' ? address.operation.name : address.kind;
        span.setAttributes({ 'db.operation.name': operation, 'db.namespace': address.namespace });
        try {
          return await serve(deps, { address, request, reply });
        } finally {
          span.setAttribute('http.response.status_code', reply.statusCode);
        }
      }),
    );
  } catch (error) {
    const refusal = asGatewayError(error);
    if (refusal.status >= 500 && !request.raw.destroyed) {
      log.warn(
        { operation, code: refusal.code, err: refusal.code === 'Internal' ? error : undefined },
        'request failed',
      );
    }
    return refuse(reply, refusal);
  } finally {
    metrics.requests.inc({ operation, status: String(reply.statusCode) });
    metrics.duration.observe({ operation }, (performance.now() - began) / 1000);
  }
}

type Serving = { readonly address: Address; readonly request: Raw; readonly reply: FastifyReply };

async function serve(deps: ServerDeps, { address, request, reply }: Serving): Promise<FastifyReply> {
  const key = givenKey(request.headers);
  const { listing } = deps;
  switch (address.kind) {
    case 'root':
      return reply.send(listing.root());
    case 'collections':
      return result(reply, await listing.collections(address.namespace, key));
    case 'aliases':
      return result(reply, await listing.aliases(address.namespace, key));
    case 'collectionAliases':
      return result(reply, await listing.collectionAliases(address, key));
    case 'search':
      return search(deps, { namespace: address.namespace, key, request, reply });
    case 'collection':
      return pass(deps, { address, key, request, reply });
  }
}

async function search(
  deps: ServerDeps,
  { namespace, key, request, reply }: Omit<Serving, 'address'> & { namespace: string; key: string | undefined },
): Promise<FastifyReply> {
  const leave = entered(deps, 'search');
  const signal = untilGone(reply);
  try {
    const body = request.body ?? request.raw;
    return await result(reply, await deps.search({ namespace, key, body, length: lengthOf(request), signal }));
  } finally {
    leave();
  }
}

type Through = Serving & {
  readonly address: Extract<Address, { kind: 'collection' }>;
  readonly key: string | undefined;
};

async function pass(deps: ServerDeps, { address, key, request, reply }: Through): Promise<FastifyReply> {
  const { operation, namespace, collection, rest } = address;
  const { library } = await deps.doors.one(namespace, collection, key);
  const leave = entered(deps, operation.kind);
  let release = leave;
  try {
    const length = lengthOf(request);
    const { body, release: forget } = await deps.bodies.take(request.body ?? request.raw, length);
    deps.metrics.keptBytes.set(deps.bodies.held);
    release = () => {
      forget();
      leave();
      deps.metrics.keptBytes.set(deps.bodies.held);
    };
    const query = request.url.indexOf('?');
    const answered = await deps.passage.pass({
      library,
      operation,
      method: request.method as ForwardMethod,
      rest: query < 0 ? rest : `${rest}${request.url.slice(query)}`,
      headers: sentHeaders(request.headers, body.kind === 'stream'),
      body,
      signal: untilGone(reply),
    });
    if (operation.kind === 'write' && answered.status < 300) deps.wrote(library);
    // Its room is given back when the whole answer has gone out.
    reply.raw.once('close', release);
    release = () => {};
    return await reply.code(answered.status).headers(answeredHeaders(answered)).send(answered.body);
  } finally {
    release();
  }
}

function entered({ rooms, metrics }: ServerDeps, kind: keyof Rooms): () => void {
  const leave = rooms[kind].enter();
  metrics.inFlight.set({ kind }, rooms[kind].taken);
  return () => {
    leave();
    metrics.inFlight.set({ kind }, rooms[kind].taken);
  };
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '/';

/** undefined for a body whose length is not said; 0 for none. */
function lengthOf({ headers }: FastifyRequest): number | undefined {
  if (headers['content-length'] !== undefined) return Number(headers['content-length']);
  return headers['transfer-encoding'] === undefined ? 0 : undefined;
}

/** Aborts when the client leaves before it was answered. */
function untilGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort(new GatewayError('Stopping', 'the client left'));
  });
  return gone.signal;
}

const result = async (reply: FastifyReply, value: unknown): Promise<FastifyReply> =>
  // Ids and payloads may hold numbers that JSON.stringify would change.
  reply
    .header('content-type', 'application/json; charset=utf-8')
    .send(stringifyJson({ result: value, status: 'ok', time: reply.elapsedTime / 1000 }));

function refuse(reply: FastifyReply, error: GatewayError): FastifyReply {
  const { code, status, message, retryAfterSeconds } = error;
  if (reply.sent) return reply;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  // What a client still sends would be read by nobody.
  if (status === 413) reply.header('connection', 'close');
  return reply.code(status).send({ status: { error: `${code}: ${message}`, code }, time: reply.elapsedTime / 1000 });
}

function asGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const cause = (error as { cause?: unknown }).cause;
  if (cause instanceof GatewayError) return cause;
  const status = (error as { statusCode?: unknown }).statusCode;
  if (typeof status === 'number' && status < 500) return new GatewayError('BadRequest');
  return new GatewayError('Internal');
}
