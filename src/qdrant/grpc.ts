import type { ConnectError } from '@connectrpc/connect';
import type { GetResponse, PointsOperationResponse, ScrollResponse } from '@qdrant/js-client-grpc';
import { faultCode, parseRetryAfter, startDeadline } from '../http/index.ts';
import { httpUrl } from './address.ts';
import type { Attempt } from './attempt.ts';
import { codeOfAnswer, QdrantError } from './errors.ts';
import { aborted, clean, type Origin, timedOut, unanswered } from './faults.ts';
import { GrpcSession } from './grpc-session.ts';
import type { GetInit, PointsApi, QueryInit, ScrollInit, UpsertInit } from './grpc-types.ts';
import type { PeerAddress, TlsOptions } from './types.ts';
import type { WireApi } from './wire-api.ts';
import type { PointVersion, WirePoint } from './wire-point.ts';

export type GrpcOptions = {
  readonly address: PeerAddress;
  readonly apiKey: string | undefined;
  readonly tls: TlsOptions | undefined;
  /** Milliseconds. */
  readonly connectTimeout: number;
};

/** Points as bytes: what is not named here stays undecoded. */
export type WirePage = { readonly points: WirePoint[]; readonly nextOffset: ScrollResponse['nextPageOffset'] };

type CallInit = Parameters<PointsApi['get']>[1];
type Connected = { readonly api: PointsApi; readonly wire: WireApi; readonly session: GrpcSession };

/** The points service of one peer over gRPC: bulk reads and writes. Loaded and connected at the first call. */
export class GrpcPoints {
  readonly #options: GrpcOptions;
  #connected: Promise<Connected> | undefined;

  /** @throws QdrantError `BadRequest` for an address that is no URL */
  constructor(options: GrpcOptions) {
    httpUrl(options.address.grpc ?? '', options.address.name);
    this.#options = options;
  }

  upsert(request: UpsertInit, attempt: Attempt): Promise<PointsOperationResponse> {
    return this.#call(attempt, (api, options) => api.upsert(request, options));
  }

  scroll(request: ScrollInit, attempt: Attempt): Promise<ScrollResponse> {
    return this.#call(attempt, (api, options) => api.scroll(request, options));
  }

  /** Like `scroll`, but points stay as they came. */
  scrollWire(request: ScrollInit, attempt: Attempt): Promise<WirePage> {
    return this.#call(attempt, async (_api, options, wire) => {
      const fields = await wire.read('scroll', request, options);
      const offset = fields.find(({ no }) => no === 1);
      return { points: wire.points(fields, 2), nextOffset: offset === undefined ? undefined : wire.id(offset) };
    });
  }

  /** Like `get`, but points stay as they came. */
  getWire(request: GetInit, attempt: Attempt): Promise<WirePoint[]> {
    return this.#call(attempt, async (_api, options, wire) => wire.points(await wire.read('get', request, options), 1));
  }

  async versions(request: QueryInit, attempt: Attempt): Promise<PointVersion[]> {
    return this.#call(attempt, async (_api, options, wire) =>
      wire.versions(await wire.read('query', request, options)),
    );
  }

  /** Like `upsert`, with points as bytes. */
  upsertWire(request: UpsertInit, points: readonly Buffer[], attempt: Attempt): Promise<PointsOperationResponse> {
    return this.#call(attempt, (_api, options, wire) => wire.upsert(request, points, options));
  }

  get(request: GetInit, attempt: Attempt): Promise<GetResponse> {
    return this.#call(attempt, (api, options) => api.get(request, options));
  }

  async close(): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    (await connected)?.session.close();
  }

  async #call<T>(attempt: Attempt, send: (api: PointsApi, options: CallInit, wire: WireApi) => Promise<T>): Promise<T> {
    this.#connected ??= connect(this.#options);
    const { api, wire, session } = await this.#connected;
    const deadline = startDeadline(attempt.timeout, attempt.signal);
    const { apiKey, address } = this.#options;
    const headers = { ...attempt.headers, ...(apiKey === undefined ? {} : { 'api-key': apiKey }) };
    try {
      return await send(api, { signal: deadline.signal, headers }, wire);
    } catch (error) {
      const { operation, mutating } = attempt;
      const origin = { operation, mutating, peer: address.name, secrets: [apiKey ?? ''] };
      if (deadline.expired()) {
        // The connection may be dead without anyone having said so.
        session.renew();
        throw timedOut(attempt.timeout, origin);
      }
      if (attempt.signal?.aborted === true) throw aborted(origin, true);
      throw grpcFault(error, origin);
    } finally {
      deadline.clear();
    }
  }
}

const POINTS_SERVICE = 'qdrant.Points';

async function connect({ address, tls, connectTimeout }: GrpcOptions): Promise<Connected> {
  // Only workers move points in bulk: the operator never loads this.
  const [{ createClient }, { createGrpcTransport }, { Qdrant }, { wireApi }] = await Promise.all([
    import('@connectrpc/connect'),
    import('@connectrpc/connect-node'),
    import('@qdrant/js-client-grpc'),
    import('./wire-api.ts'),
  ]);
  // The package exports this service's file only as a dependency of another.
  const service = Qdrant.file.dependencies
    .flatMap((file) => file.services)
    .find(({ typeName }) => typeName === POINTS_SERVICE);
  if (service === undefined) throw new TypeError(`@qdrant/js-client-grpc has no ${POINTS_SERVICE}`);
  // A message without fields of its own: whatever is put into it is carried as it is.
  const opaque = Qdrant.file.messages.find(({ fields }) => fields.length === 0);
  if (opaque === undefined) throw new TypeError('@qdrant/js-client-grpc has no empty message');
  const session = new GrpcSession({ url: address.grpc ?? '', tls, connectTimeout });
  const transport = createGrpcTransport({ baseUrl: session.authority, sessionManager: session, acceptCompression: [] });
  const api = createClient(service, transport) as unknown as PointsApi;
  return { api, wire: wireApi(service, transport, opaque), session };
}

/** HTTP equals of gRPC's status numbers. Source: google.rpc.Code. */
const STATUS: Readonly<Record<number, number>> = {
  3: 400,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 500,
  11: 400,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
  16: 401,
};
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;

function grpcFault(error: unknown, origin: Origin): QdrantError {
  const { code, rawMessage, metadata, cause } = error as Partial<ConnectError>;
  if (typeof code !== 'number' || rawMessage === undefined) return unanswered(error, origin);
  const systemCode = faultCode(cause);
  if (systemCode !== '' || code === CANCELLED)
    return unanswered({ code: systemCode, message: `gRPC: ${rawMessage}` }, origin);
  if (code === DEADLINE_EXCEEDED) {
    return new QdrantError({
      ...origin,
      code: 'Timeout',
      status: 408,
      message: 'Qdrant gave up waiting',
      ambiguous: origin.mutating,
    });
  }
  const status = STATUS[code];
  const retryAfterSeconds = parseRetryAfter(metadata?.get('retry-after') ?? undefined, Date.now());
  return new QdrantError({
    ...origin,
    code: status === undefined ? 'Unexpected' : codeOfAnswer(status, rawMessage),
    status: status ?? 0,
    message: `gRPC: ${clean(rawMessage, origin.secrets)}`,
    ambiguous: origin.mutating && (status === undefined || status >= 500),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
