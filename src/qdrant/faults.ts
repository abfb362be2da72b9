import { faultCode, parseRetryAfter } from '../http/index.ts';
import { codeOfAnswer, QdrantError } from './errors.ts';

/** What an error has to say besides what went wrong. */
export type Origin = {
  readonly operation: string;
  readonly peer: string;
  readonly mutating: boolean;
  /** Texts that must not appear in a message. */
  readonly secrets: readonly string[];
};

/** With these the request never reached a Qdrant, so nothing can have been applied. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'EPROTO',
]);
const neverSent = (code: string): boolean =>
  NEVER_SENT.has(code) || code.startsWith('ERR_TLS_') || code.startsWith('ERR_SSL_');

type Fault = { readonly message?: unknown };
const isFault = (value: unknown): value is Fault => typeof value === 'object' && value !== null;

const faultMessage = (error: unknown): string =>
  isFault(error) && typeof error.message === 'string' ? error.message : '';

/** Whether a kept connection was closed under the request: the server's keep-alive ended as we sent. */
export function closedUnderReuse(error: unknown): boolean {
  if (!isFault(error)) return false;
  const { socket } = error as { socket?: { bytesRead?: number } };
  const code = faultCode(error);
  return (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE') && (socket?.bytesRead ?? 0) > 0;
}

/** The error of a request that got no answer. */
export function unanswered(error: unknown, origin: Origin): QdrantError {
  const code = faultCode(error);
  const what = clean(`${code === '' ? 'no answer' : code} ${faultMessage(error)}`.trim(), origin.secrets);
  return new QdrantError({
    ...origin,
    code: 'Unreachable',
    message: what,
    ambiguous: origin.mutating && !neverSent(code),
  });
}

export const timedOut = (milliseconds: number, origin: Origin): QdrantError =>
  new QdrantError({
    ...origin,
    code: 'Timeout',
    message: `no answer within ${milliseconds} ms`,
    ambiguous: origin.mutating,
  });

export const aborted = (origin: Origin, sent: boolean): QdrantError =>
  new QdrantError({ ...origin, code: 'Aborted', message: 'aborted by the caller', ambiguous: sent && origin.mutating });

/** The error of an answer that is none of Qdrant's. `status` may well be 200. */
export const unexpected = (status: number, message: string, origin: Origin): QdrantError =>
  new QdrantError({
    ...origin,
    code: 'Unexpected',
    status,
    message: clean(message, origin.secrets),
    ambiguous: origin.mutating && (status < 300 || status >= 500),
  });

/** The error that an answer with a status other than 2xx stands for. */
export function refused(
  answer: { status: number; text: string; retryAfter: string | undefined },
  origin: Origin,
): QdrantError {
  const { status, text } = answer;
  if (status < 400) return unexpected(status, `status ${status}, redirects are not followed`, origin);
  const reason = reasonOf(text);
  const retryAfterSeconds = parseRetryAfter(answer.retryAfter, Date.now());
  return new QdrantError({
    ...origin,
    code: codeOfAnswer(status, reason),
    status,
    message: `${status} ${clean(reason, origin.secrets)}`,
    // Qdrant answers 500 "timed out" for an operation that its consensus still commits.
    ambiguous: origin.mutating && (status >= 500 || status === 408),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** Qdrant's reason: from its JSON envelope, or the plain text of its auth layer. */
function reasonOf(text: string): string {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) {
    try {
      const body = JSON.parse(trimmed) as { status?: { error?: unknown } | string; error?: unknown };
      const reason = typeof body.status === 'object' ? body.status.error : (body.error ?? body.status);
      if (typeof reason === 'string') return reason;
    } catch {
      return 'with a body that is not JSON';
    }
  }
  if (trimmed === '') return 'without a body';
  return trimmed.startsWith('<') ? 'with an HTML page: not a Qdrant' : trimmed;
}

const MAX_MESSAGE = 500;

/** One line, bounded, without the secrets. */
export function clean(text: string, secrets: readonly string[]): string {
  const hidden = secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '[redacted]')), text);
  const line = hidden.replace(/\s+/g, ' ').trim();
  return line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}...` : line;
}
