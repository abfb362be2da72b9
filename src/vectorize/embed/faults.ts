import { faultCode, parseRetryAfter } from '../../http/index.ts';
import { EmbedError, type EmbedErrorCode } from './errors.ts';

/** A text that a library calls a code could be anything, what was sent included. */
const isCode = (text: string): boolean => /^[A-Z][A-Z0-9_]{0,63}$/.test(text);

/** With these the request never reached the endpoint. */
const NEVER_SENT =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|UND_ERR_CLOSED|UND_ERR_DESTROYED|.*CERT.*|UNABLE_TO_.*|EPROTO|ERR_TLS_.*|ERR_SSL_.*)$/;

/** The error of a request that got no answer. A library's message may quote what was sent; its code doesn't. */
export function unanswered(error: unknown, endpoint: string): EmbedError {
  const code = faultCode(error, isCode);
  const message = `no answer: ${code || 'connection lost'}`;
  return new EmbedError({ code: 'Unreachable', endpoint, message, ambiguous: !NEVER_SENT.test(code) });
}

/**
 * What endpoints say, as patterns. Only the words on the right ever stand in a message: an answer may quote a text or a
 * key. What decides is a whole field, because a quoted text has its quotation marks escaped.
 */
const SAYINGS: readonly (readonly [pattern: RegExp, words: string, meaning?: EmbedErrorCode])[] = [
  [/"(?:code|type)":\s*"insufficient_quota"/, 'the account has no credit left', 'QuotaExceeded'],
  [/"reason":\s*"API_KEY_INVALID"|"code":\s*"invalid_api_key"/, 'the API key is not valid', 'Unauthorized'],
  [
    /context.?length|too long|must have less than|maximum.{0,40}tokens|exceeds.{0,40}(?:tokens|length)/i,
    'a text is too long for the model',
    'TooLarge',
  ],
  [/batch size/i, 'more texts than it takes in a request', 'TooLarge'],
  [/model.{0,80}(?:not found|does not exist|is not supported)|model_not_found/i, 'it has no such model'],
  [/dimensions?|outputDimensionality/i, 'it does not take these dimensions'],
  [/overloaded|busy|maximum pending requests/i, 'it is overloaded'],
  [/rate.?limit|RESOURCE_EXHAUSTED|quota/i, 'a rate limit is reached'],
];

function codeOfStatus(status: number): EmbedErrorCode {
  switch (status) {
    case 401:
      return 'Unauthorized';
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 408:
      return 'Timeout';
    case 413:
      return 'TooLarge';
    case 429:
      return 'RateLimited';
    // 424 is TEI's "inference failed".
    case 424:
      return 'Internal';
    case 502:
    case 503:
    case 504:
      return 'Unavailable';
    default:
      if (status >= 500) return 'Internal';
      return status >= 400 ? 'BadRequest' : 'Unexpected';
  }
}

export type Refusal = { readonly status: number; readonly text: string; readonly retryAfter: string | undefined };

/** The error that an answer with a status other than 200 stands for. `now` is milliseconds since the epoch. */
export function refused({ status, text, retryAfter }: Refusal, endpoint: string, now: number): EmbedError {
  const [, words, meaning] = SAYINGS.find(([pattern]) => pattern.test(text.slice(0, 4096))) ?? [];
  const code = codeOfStatus(status);
  // Words weigh only where the status leaves it open: Gemini refuses a key with 400, OpenAI an empty account with 429.
  const open = code === 'BadRequest' || (code === 'RateLimited' && meaning === 'QuotaExceeded');
  const retryAfterSeconds = parseRetryAfter(retryAfter, now);
  return new EmbedError({
    code: open ? (meaning ?? code) : code,
    endpoint,
    status,
    message: `answered ${status}${words === undefined ? '' : `: ${words}`}`,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
