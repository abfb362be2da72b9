import type { Attempt } from './attempt.ts';
import type { Call, CallKind, Safety } from './call.ts';
import { QdrantError } from './errors.ts';
import { unexpected } from './faults.ts';
import { parseJson, stringifyJson } from './json.ts';
import type { PeerTransport, RestAnswer, RestRequest } from './peer-transport.ts';

/** What a result must look like at least; anything else is no answer of Qdrant's. */
type Shape = 'object' | 'array' | 'boolean';

type RestCall<T> = Omit<RestRequest, 'body'> & {
  readonly operation: string;
  readonly kind: CallKind;
  readonly safety: Safety;
  readonly onePeer?: boolean;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** A body that is JSON text already. */
  readonly text?: string;
  readonly shape: Shape;
  /** Keep `1.0` apart from `1` in the answer. */
  readonly doubles?: boolean;
  readonly decode?: (result: never) => T;
};

/** A call by REST whose answer is Qdrant's envelope `{result, status, time}`. */
export function restCall<T>(call: RestCall<T>): Call<T> {
  const { operation, kind, safety, onePeer = false, shape, doubles = false, decode } = call;
  const text = call.text ?? (call.body === undefined ? undefined : stringifyJson(call.body));
  const request: RestRequest = {
    method: call.method,
    path: call.path,
    ...(call.query && { query: call.query }),
    ...(text !== undefined && { body: text }),
  };
  return {
    operation,
    kind,
    safety,
    onePeer,
    attempt: async (peer, attempt) => {
      const answer = await peer.request(request, attempt);
      const result = resultOf(answer, { peer, attempt, shape, doubles });
      return decode === undefined ? (result as T) : decode(result as never);
    },
  };
}

type Reading = {
  readonly peer: PeerTransport;
  readonly attempt: Attempt;
  readonly shape: Shape;
  readonly doubles: boolean;
};

function resultOf(answer: RestAnswer, { peer, attempt, shape, doubles }: Reading): unknown {
  const fail = (what: string): QdrantError =>
    unexpected(answer.status, `${answer.status} with ${what}`, peer.origin(attempt));
  const envelope = parsed(answer.text, doubles);
  if (envelope === undefined) throw fail(answer.text === '' ? 'an empty body' : 'a body that is not whole JSON');
  if (!isObject(envelope) || !('result' in envelope)) throw fail('a body without a result');
  const { result } = envelope;
  const fits =
    shape === 'array' ? Array.isArray(result) : shape === 'object' ? isObject(result) : typeof result === 'boolean';
  if (!fits) throw fail(`a result that is not of the kind ${shape}`);
  return result;
}

function parsed(text: string, doubles: boolean): unknown {
  try {
    return parseJson(text, { doubles });
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One part of a path. An empty one would address the parent: `DELETE /collections/`. */
export function part(name: string | number | bigint, operation: string): string {
  const text = String(name);
  if (text !== '' && text !== '.' && text !== '..') return encodeURIComponent(text);
  throw new QdrantError({
    code: 'BadRequest',
    operation,
    peer: 'client',
    message: `a name must not be ${JSON.stringify(text)}`,
  });
}
