/** What was asked when a request failed; for the message, so it holds nothing secret. */
export type RequestContext = {
  readonly verb: string;
  /** Plural with group, as RBAC names it: `statefulsets.apps`. */
  readonly resource: string;
  /** `namespace/name`, `namespace/` for a collection. */
  readonly target?: string;
};

export type StatusCause = { readonly reason?: string; readonly field?: string; readonly message?: string };

export type StatusDetails = {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly StatusCause[];
};

/** The API server's `Status`. Source: meta/v1 `Status`. */
export type Status = {
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: StatusDetails;
};

type KubeErrorFields = RequestContext & {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly reason: string;
  readonly message?: string;
  readonly details?: StatusDetails;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
};

/**
 * A request that the API server refused, or that found no server.
 * Reasons are the server's own (`NotFound`, `Conflict`, ...), or `Timeout`, `Unreachable`, `InvalidBody` for status 0.
 * The message holds no headers, no credentials and no request body.
 */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;
  readonly reason: string;
  readonly verb: string;
  readonly resource: string;
  readonly details: StatusDetails | undefined;
  /** How long the server wants to be left alone. */
  readonly retryAfterSeconds: number | undefined;

  constructor(fields: KubeErrorFields) {
    const { verb, resource, target, status, reason, message } = fields;
    const what = [verb, resource, target].filter((part) => part !== undefined && part !== '').join(' ');
    const answer = status === 0 ? reason : `${status} ${reason}`;
    super(`${what}: ${answer}${message === undefined || message === '' ? '' : `: ${message}`}`, {
      cause: fields.cause,
    });
    this.status = status;
    this.reason = reason;
    this.verb = verb;
    this.resource = resource;
    this.details = fields.details;
    this.retryAfterSeconds = fields.retryAfterSeconds;
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }
  /** Somebody else wrote in between, or the object is another one of that name by now. */
  get isConflict(): boolean {
    // A PATCH with another uid than the object's is called invalid.
    if (this.status === 422) return this.details?.causes?.some(({ field }) => field === 'metadata.uid') === true;
    return this.status === 409 && this.reason !== 'AlreadyExists';
  }
  get alreadyExists(): boolean {
    return this.status === 409 && this.reason === 'AlreadyExists';
  }
  get isForbidden(): boolean {
    return this.status === 403;
  }
  /** Nothing can be created where all is being deleted. Source: apiserver admission plug-in `NamespaceLifecycle`. */
  get isNamespaceTerminating(): boolean {
    return this.isForbidden && this.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true;
  }
  /** The resource version asked for is compacted away: list again. */
  get isExpired(): boolean {
    return this.status === 410;
  }
}

const REASON_BY_STATUS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

const MAX_MESSAGE = 1000;

/** The error for an answer with an HTTP status >= 400. A body that is no `Status` is dropped: it may be anyone's. */
export function errorFromResponse(
  context: RequestContext,
  response: { readonly status: number; readonly text: string; readonly retryAfter: string | undefined },
): KubeError {
  const status = parseStatus(response.text);
  return errorFromStatus(context, { ...status, code: response.status }, response.retryAfter);
}

/** The error for a `Status` object, also one that came inside a watch stream. */
export function errorFromStatus(context: RequestContext, status: Status, retryAfter?: string): KubeError {
  const code = status.code ?? 500;
  const retryAfterSeconds = parseRetryAfter(retryAfter) ?? status.details?.retryAfterSeconds;
  const details = carriesSecrets(context) ? withoutCauseMessages(status.details) : status.details;
  const message = carriesSecrets(context) ? fieldsOf(status.details) : status.message?.slice(0, MAX_MESSAGE);
  return new KubeError({
    ...context,
    status: code,
    reason: status.reason ?? REASON_BY_STATUS[code] ?? 'Unknown',
    ...(message === undefined ? {} : { message }),
    ...(details === undefined ? {} : { details }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** The error for a request that got no answer. */
export function errorFromNetwork(context: RequestContext, cause: unknown): KubeError {
  const code = codeOf(cause);
  const timeout = code === 'TimeoutError' || code.includes('TIMEOUT') || code === 'ETIMEDOUT';
  return new KubeError({ ...context, status: 0, reason: timeout ? 'Timeout' : 'Unreachable', message: code, cause });
}

/** From any thrown value to the status of a KubeError; undefined for other errors. */
export const statusOf = (error: unknown): number | undefined => (error instanceof KubeError ? error.status : undefined);

/** Seconds form only: the API server sends no dates. Source: apimachinery `errors.SuggestsClientDelay`. */
function parseRetryAfter(header: string | undefined): number | undefined {
  const seconds = header === undefined || header.trim() === '' ? Number.NaN : Number(header);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

function parseStatus(text: string): Status {
  try {
    const body: unknown = JSON.parse(text);
    return isStatus(body) ? body : {};
  } catch {
    return {};
  }
}

const isStatus = (body: unknown): body is Status =>
  typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status';

/** The server quotes refused values, and those of a Secret are secret. */
const carriesSecrets = (context: RequestContext): boolean => context.resource === 'secrets';

const fieldsOf = (details: StatusDetails | undefined): string | undefined =>
  details?.causes
    ?.map((cause) => [cause.field, cause.reason].filter((part) => part !== undefined).join(': '))
    .join(', ')
    .slice(0, MAX_MESSAGE);

const withoutCauseMessages = (details: StatusDetails | undefined): StatusDetails | undefined =>
  details?.causes === undefined ? details : { ...details, causes: details.causes.map(withoutMessage) };

function withoutMessage(cause: StatusCause): StatusCause {
  const { message: _, ...rest } = cause;
  return rest;
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return cause.cause instanceof Error ? codeOf(cause.cause) : cause.name;
}
