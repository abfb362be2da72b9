import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Settings } from '../settings.ts';
import type { Right } from './router.ts';

export type Refusal = { readonly status: 401 | 403; readonly text: string; readonly json?: boolean };

const SCHEME = /^Bearer\s+/i;

/** Why these headers don't give a right; undefined when they do. An empty key is a key like any other. */
export function refusal(settings: Settings, right: Right, headers: IncomingHttpHeaders): Refusal | undefined {
  const { apiKey, altApiKey, readOnlyApiKey } = settings;
  if (right === 'open' || [apiKey, altApiKey, readOnlyApiKey].every((key) => key === undefined)) return undefined;
  const given = givenKey(headers);
  if (given === undefined) return { status: 401, text: 'Must provide an API key or an Authorization bearer token' };
  if (equal(given, apiKey) || equal(given, altApiKey)) return undefined;
  if (!equal(given, readOnlyApiKey)) return { status: 401, text: 'Invalid API key or JWT' };
  if (right === 'read') return undefined;
  return { status: 403, text: 'Forbidden: Global manage access is required', json: true };
}

function givenKey(headers: IncomingHttpHeaders): string | undefined {
  const key = headers['api-key'];
  if (typeof key === 'string') return key;
  const { authorization } = headers;
  return authorization !== undefined && SCHEME.test(authorization) ? authorization.replace(SCHEME, '') : undefined;
}

function equal(given: string, key: string | undefined): boolean {
  if (key === undefined) return false;
  const a = Buffer.from(given);
  const b = Buffer.from(key);
  return a.length === b.length && timingSafeEqual(a, b);
}
