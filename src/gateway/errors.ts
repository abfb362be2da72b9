/** What the gateway itself refuses, or could not do; the codes are API and stand in docs/gateway.md. */
export const GATEWAY_ERRORS = {
  KeyMissing: { status: 401, text: 'no api-key header and no bearer token' },
  KeyRefused: { status: 401, text: 'the key opens no such library here' },
  NotThroughGateway: { status: 403, text: 'this operation does not go through the gateway' },
  NoSuchPath: { status: 404, text: 'the gateway knows no such path' },
  NoSuchLibrary: { status: 404, text: 'no library bears this name' },
  NameNotUnique: { status: 409, text: 'several libraries bear this name, and the key opens more than one' },
  BodyTooLarge: { status: 413, text: 'the body is larger than the gateway takes' },
  BadRequest: { status: 400, text: 'the request breaks a rule of the gateway' },
  LibraryNotReady: { status: 503, text: 'the library has no binding yet' },
  WritesHeldTooLong: { status: 503, text: 'writes are held back by a change, longer than a write may wait' },
  FencedWhileSending: { status: 503, text: 'a change began while a body was sent that is too large to be kept' },
  TooBusy: { status: 503, text: 'as many requests are under way as may be' },
  Stopping: { status: 503, text: 'this gateway stops' },
  ClusterUnreachable: { status: 502, text: 'no peer of the cluster answered' },
  MaybeApplied: { status: 502, text: 'the connection broke after the write was sent; it may have been applied' },
  ClusterRefusesKey: { status: 502, text: "the cluster refuses the library's key" },
  EmbedderFailed: { status: 502, text: 'no vector could be made of the text' },
  Internal: { status: 500, text: 'the gateway failed' },
} as const;

export type GatewayErrorCode = keyof typeof GATEWAY_ERRORS;

/** Answered as `{status: {error, code}}`, as Qdrant's own errors are. Its message holds no key and no body. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: GatewayErrorCode;
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: GatewayErrorCode, detail?: string, retryAfterSeconds?: number) {
    const { status, text } = GATEWAY_ERRORS[code];
    super(detail === undefined ? text : `${text}: ${detail}`);
    this.code = code;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
