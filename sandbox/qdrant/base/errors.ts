/** What went wrong, in the words of the server's own error enum. */
export type ErrorKind =
  | 'BadInput'
  | 'BadRequest'
  | 'AlreadyExists'
  | 'NotFound'
  | 'Service'
  | 'Timeout'
  | 'Forbidden'
  | 'Precondition'
  | 'RateLimited'
  | 'Unavailable'
  | 'Format'
  | 'Validation'
  | 'PathValidation'
  | 'Path'
  | 'Query'
  | 'NotModified'
  | 'NotBuilt';

const ANSWERS: Readonly<Record<ErrorKind, { readonly status: number; readonly prefix: string }>> = {
  BadInput: { status: 400, prefix: 'Wrong input: ' },
  BadRequest: { status: 400, prefix: 'Bad request: ' },
  AlreadyExists: { status: 409, prefix: 'Wrong input: ' },
  NotFound: { status: 404, prefix: 'Not found: ' },
  Service: { status: 500, prefix: 'Service internal error: ' },
  Timeout: { status: 408, prefix: 'Timeout: ' },
  Forbidden: { status: 403, prefix: 'Forbidden: ' },
  Precondition: { status: 500, prefix: 'Pre-condition failure: ' },
  RateLimited: { status: 429, prefix: 'Rate limiting exceeded: ' },
  Unavailable: { status: 503, prefix: 'Shard temporarily unavailable: ' },
  Format: { status: 400, prefix: 'Format error in JSON body: ' },
  Validation: { status: 422, prefix: 'Validation error in JSON body: ' },
  PathValidation: { status: 422, prefix: 'Validation error in path parameters: ' },
  Path: { status: 400, prefix: 'Deserialize error in path parameters: ' },
  Query: { status: 400, prefix: 'Deserialize error in query parameters: ' },
  NotModified: { status: 304, prefix: '' },
  NotBuilt: { status: 501, prefix: 'Not built in the embedded engine: ' },
};

/** An error that a caller of the engine sees; `description` is the text without the kind's prefix. */
export class EngineError extends Error {
  readonly kind: ErrorKind;
  readonly description: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(kind: ErrorKind, description: string, options: { retryAfterSeconds?: number } = {}) {
    super(ANSWERS[kind].prefix + description);
    this.name = 'EngineError';
    this.kind = kind;
    this.description = description;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return ANSWERS[this.kind].status;
  }

  /** Whether another replica may do better. Source: Qdrant `CollectionError::is_transient`. */
  get transient(): boolean {
    return ['Service', 'Timeout', 'Unavailable', 'Precondition'].includes(this.kind);
  }
}

/** A request that makes the real server's worker panic: the connection closes without an answer. */
export class Panic extends Error {}

export function asEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError('Service', error instanceof Error ? error.message : String(error));
}
