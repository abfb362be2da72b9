/** Stable; `docs` and metrics use these names. */
export type QdrantErrorCode =
  /** No answer within the time for this kind of call. */
  | 'Timeout'
  /** Connection refused, cut, or no such host; TLS refused. */
  | 'Unreachable'
  /** The caller's signal fired. */
  | 'Aborted'
  | 'BadRequest'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'Conflict'
  | 'RateLimited'
  | 'Internal'
  | 'Unavailable'
  | 'InsufficientStorage'
  /** Something answered, but not as Qdrant does. */
  | 'Unexpected';

export type QdrantErrorInit = {
  readonly code: QdrantErrorCode;
  readonly message: string;
  readonly operation: string;
  readonly peer: string;
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  readonly ambiguous?: boolean;
};

/** Every failure of this client. Its message names the peer and the operation and never holds a key or a body. */
export class QdrantError extends Error {
  override readonly name = 'QdrantError';
  readonly code: QdrantErrorCode;
  /** HTTP status; 0 = no answer. gRPC statuses are given as their HTTP equals. */
  readonly status: number;
  readonly operation: string;
  readonly peer: string;
  /** Seconds, from `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** The change may have been applied, or may yet be: read the state, then decide. Always false for reads. */
  readonly ambiguous: boolean;

  readonly #reason: string;

  constructor(init: QdrantErrorInit) {
    super(`${init.peer}: ${init.operation}: ${init.message}`);
    this.#reason = init.message;
    this.code = init.code;
    this.status = init.status ?? 0;
    this.operation = init.operation;
    this.peer = init.peer;
    this.retryAfterSeconds = init.retryAfterSeconds;
    this.ambiguous = init.ambiguous ?? false;
  }

  /** The same error, of a call whose earlier attempt may have been applied. */
  asAmbiguous(): QdrantError {
    const { code, status, operation, peer, retryAfterSeconds } = this;
    const retryAfter = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    return new QdrantError({ code, status, operation, peer, message: this.#reason, ambiguous: true, ...retryAfter });
  }

  get isNotFound(): boolean {
    return this.code === 'NotFound';
  }

  get isConflict(): boolean {
    return this.code === 'Conflict';
  }
}

export const isQdrantError = (error: unknown, code?: QdrantErrorCode): error is QdrantError =>
  error instanceof QdrantError && (code === undefined || error.code === code);

/** What a full disk says, with 500 (measured on 1.18.3: "No space left on device: WAL buffer size exceeds ..."). */
const DISK_FULL = /No space left on device/;

/** What an answer with this status and reason is. */
export const codeOfAnswer = (status: number, reason: string): QdrantErrorCode =>
  status >= 500 && DISK_FULL.test(reason) ? 'InsufficientStorage' : codeOfStatus(status);

/** Source: Qdrant `src/actix/helpers.rs`, v1.19.0. */
function codeOfStatus(status: number): QdrantErrorCode {
  switch (status) {
    case 400:
    case 405:
    case 413:
    case 422:
      return 'BadRequest';
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 408:
      return 'Timeout';
    case 409:
      return 'Conflict';
    case 429:
      return 'RateLimited';
    case 502:
    case 503:
    case 504:
      return 'Unavailable';
    case 507:
      return 'InsufficientStorage';
    default:
      return status >= 500 ? 'Internal' : 'Unexpected';
  }
}
