/** Stable; conditions, reports and metrics use these names. */
export type EmbedErrorCode =
  /** No whole answer within the time for one attempt. */
  | 'Timeout'
  /** Connection refused or cut, no such host, or TLS refused. */
  | 'Unreachable'
  /** The caller's signal fired. */
  | 'Aborted'
  | 'Unauthorized'
  | 'Forbidden'
  /** No such path or model. */
  | 'NotFound'
  | 'BadRequest'
  /** The request, or a text by itself, is larger than the endpoint takes. */
  | 'TooLarge'
  | 'RateLimited'
  /** The account has no credit left: waiting doesn't help. */
  | 'QuotaExceeded'
  | 'Unavailable'
  | 'Internal'
  /** Something answered, but not as the protocol says. */
  | 'Unexpected'
  /** A text without anything but white space. */
  | 'EmptyText'
  /** More or fewer vectors than texts. */
  | 'WrongCount'
  | 'WrongDimension'
  /** NaN, infinity, null or no number. */
  | 'NotFinite'
  | 'AllZero'
  /** The same vector for different texts. */
  | 'Constant'
  /** Its length isn't 1 although cosine is asked for. */
  | 'NotNormalised'
  /** The endpoint's vectors of the canary texts aren't those of before. */
  | 'ModelChanged'
  /** Nothing more was sent: it would have cost more than allowed. */
  | 'BudgetUsedUp';

export type EmbedErrorInit = {
  readonly code: EmbedErrorCode;
  /** Host and port. */
  readonly endpoint: string;
  readonly message: string;
  /** HTTP status; 0 = no answer. */
  readonly status?: number;
  readonly retryAfterSeconds?: number;
  /** The endpoint may have embedded, and billed, all the same. */
  readonly ambiguous?: boolean;
  /** Index of the text it is about, in what the caller gave. */
  readonly textIndex?: number;
};

/** What may pass by itself. A count, a NaN or one vector for all come from an endpoint in trouble as well as a broken one. */
const TRANSIENT: ReadonlySet<EmbedErrorCode> = new Set<EmbedErrorCode>([
  'Timeout',
  'Unreachable',
  'RateLimited',
  'Unavailable',
  'Internal',
  'Unexpected',
  'WrongCount',
  'NotFinite',
  'AllZero',
  'Constant',
]);

/** Every failure of this room. Its message names endpoint and rule, and never holds a text, a key or what was answered. */
export class EmbedError extends Error {
  override readonly name = 'EmbedError';
  readonly code: EmbedErrorCode;
  readonly endpoint: string;
  readonly status: number;
  /** Seconds, as the endpoint asked. */
  readonly retryAfterSeconds: number | undefined;
  readonly ambiguous: boolean;
  readonly textIndex: number | undefined;
  readonly #reason: string;

  constructor(init: EmbedErrorInit) {
    super(`${init.endpoint}: ${init.textIndex === undefined ? '' : `text ${init.textIndex}: `}${init.message}`);
    this.#reason = init.message;
    this.code = init.code;
    this.endpoint = init.endpoint;
    this.status = init.status ?? 0;
    this.retryAfterSeconds = init.retryAfterSeconds;
    this.ambiguous = init.ambiguous ?? false;
    this.textIndex = init.textIndex;
  }

  /** The same request will fail again until somebody changes something. A status below 400 is no embedder's. */
  get permanent(): boolean {
    return !TRANSIENT.has(this.code) || (this.code === 'Unexpected' && this.status >= 300);
  }

  /** The same failure, told about one text. */
  about(textIndex: number): EmbedError {
    const { code, endpoint, status, retryAfterSeconds, ambiguous } = this;
    const after = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    return new EmbedError({ code, endpoint, status, message: this.#reason, ambiguous, textIndex, ...after });
  }
}

export const isEmbedError = (error: unknown, code?: EmbedErrorCode): error is EmbedError =>
  error instanceof EmbedError && (code === undefined || error.code === code);
