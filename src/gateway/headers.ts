import type { IncomingHttpHeaders } from 'node:http';
import type { ForwardAnswer } from '../qdrant/index.ts';

/** What of a client's headers a cluster gets; never a key: the gateway sends the library's. */
const SENT = ['content-type', 'content-encoding', 'content-length', 'accept', 'accept-encoding', 'user-agent'];

/** What a connection keeps to itself. Source: RFC 9110, section 7.6.1. */
const OF_ONE_CONNECTION = new Set(['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade']);

/** @param withLength for a body that is sent as it comes; a kept one has its own */
export function sentHeaders(headers: IncomingHttpHeaders, withLength: boolean): Record<string, string> {
  const pairs = SENT.flatMap((name): [string, string][] => {
    const value = headers[name];
    const left = name === 'content-length' && !withLength;
    return typeof value !== 'string' || left ? [] : [[name, value]];
  });
  return Object.fromEntries(pairs);
}

export function answeredHeaders({ headers }: ForwardAnswer): Record<string, string | string[]> {
  const pairs = Object.entries(headers).flatMap(([name, value]): [string, string | string[]][] =>
    value === undefined || OF_ONE_CONNECTION.has(name) ? [] : [[name, value]],
  );
  return Object.fromEntries(pairs);
}
