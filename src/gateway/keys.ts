import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const BEARER = /^Bearer\s+/i;

/** The key that a client sends: `api-key`, or a bearer token; undefined when it sends none. */
export function givenKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['api-key'];
  if (typeof key === 'string' && key !== '') return key;
  const { authorization } = headers;
  if (authorization === undefined || !BEARER.test(authorization)) return undefined;
  const token = authorization.replace(BEARER, '');
  return token === '' ? undefined : token;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Whether two keys are equal, in a time that tells neither their lengths nor where they differ. */
export const sameKey = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));

/** Whether a key opens what is closed by another; what has no key is open to all. */
export const opens = (given: string | undefined, needed: string | undefined): boolean =>
  needed === undefined || (given !== undefined && sameKey(given, needed));
