import type { ConnectError } from '@connectrpc/connect';
import type { GetResponse, PointsOperationResponse, QdrantClient, ScrollResponse } from '@qdrant/js-client-grpc';
import { faultCode, parseRetryAfter, startDeadline } from '../http/index.ts';
import { httpUrl } from './address.ts';
import type { Attempt } from './attempt.ts';
import { codeOfStatus, QdrantError } from './errors.ts';
import { aborted, clean, type Origin, timedOut, unanswered } from './faults.ts';
import { GrpcSession } from './grpc-session.ts';
import type { PeerAddress, TlsOptions } from './types.ts';

/** The generated client of Qdrant's `Points` service. */
type PointsApi = Extract<ReturnType<QdrantClient['api']>, { readonly upsert: unknown }>;
export type UpsertInit = Parameters<PointsApi['upsert']>[0];
export type ScrollInit = Parameters<PointsApi['scroll']>[0];
export type GetInit = Parameters<PointsApi['get']>[0];
export type PointInit = NonNullable<UpsertInit['points']>[number];
export type IdInit = NonNullable<GetInit['ids']>[number];
export type PayloadInit = NonNullable<GetInit['withPayload']>;
export type ShardKeyInit = NonNullable<NonNullable<GetInit['shardKeySelector']>['shardKeys']>[number];

export type GrpcOptions = {
  readonly address: PeerAddress;
  readonly apiKey: string | undefined;
  readonly tls: TlsOptions | undefined;
  /** Milliseconds. */
  readonly connectTimeout: number;
};

type Connected = { readonly api: PointsApi; readonly session: GrpcSession };

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

  get(request: GetInit, attempt: Attempt): Promise<GetResponse> {
    return this.#call(attempt, (api, options) => api.get(request, options));
  }

  async close(): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    (await connected)?.session.close();
  }

  async #call<T>(
    attempt: Attempt,
    send: (api: PointsApi, options: Parameters<PointsApi['get']>[1]) => Promise<T>,
  ): Promise<T> {
    this.#connected ??= connect(this.#options);
    const { api, session } = await this.#connected;
    const deadline = startDeadline(attempt.timeout, attempt.signal);
    const { apiKey, address } = this.#options;
    const headers = { ...attempt.headers, ...(apiKey === undefined ? {} : { 'api-key': apiKey }) };
    try {
      return await send(api, { signal: deadline.signal, headers });
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
  const [{ createClient }, { createGrpcTransport }, { Qdrant }] = await Promise.all([
    import('@connectrpc/connect'),
    import('@connectrpc/connect-node'),
    import('@qdrant/js-client-grpc'),
  ]);
  // The package exports this service's file only as a dependency of another.
  const service = Qdrant.file.dependencies
    .flatMap((file) => file.services)
    .find(({ typeName }) => typeName === POINTS_SERVICE);
  if (service === undefined) throw new TypeError(`@qdrant/js-client-grpc has no ${POINTS_SERVICE}`);
  const session = new GrpcSession({ url: address.grpc ?? '', tls, connectTimeout });
  const transport = createGrpcTransport({ baseUrl: session.authority, sessionManager: session, acceptCompression: [] });
  return { api: createClient(service, transport) as unknown as PointsApi, session };
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
    code: status === undefined ? 'Unexpected' : codeOfStatus(status),
    status: status ?? 0,
    message: `gRPC: ${clean(rawMessage, origin.secrets)}`,
    ambiguous: origin.mutating && (status === undefined || status >= 500),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
