import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export type Account = { readonly accessKeyId: string; readonly secretAccessKey: string };

const FORM =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/**
 * Whether a request is signed with the account's key. Source: AWS General Reference, "Signature Version 4".
 *
 * @returns S3's name of what is wrong; undefined: nothing
 */
export function signatureFault(
  request: IncomingMessage,
  account: Account,
): 'AccessDenied' | 'InvalidAccessKeyId' | 'SignatureDoesNotMatch' | undefined {
  const match = FORM.exec(request.headers.authorization ?? '');
  if (match === null) return 'AccessDenied';
  const [, id = '', day = '', region = '', names = '', signature = ''] = match;
  if (id !== account.accessKeyId) return 'InvalidAccessKeyId';
  const url = new URL(request.url ?? '/', 'http://store');
  const headers = names.split(';').map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`);
  const canonical = [
    request.method,
    url.pathname,
    queryOf(url),
    headers.join(''),
    names,
    request.headers['x-amz-content-sha256'] ?? '',
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'] ?? '', scope, sha256(canonical)].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${account.secretAccessKey}`);
  const right = Buffer.from(hmac(key, text).toString('hex'));
  return timingSafeEqual(right, Buffer.from(signature)) ? undefined : 'SignatureDoesNotMatch';
}

const queryOf = ({ searchParams }: URL): string =>
  [...searchParams]
    .map(([name, value]) => `${escaped(name)}=${escaped(value)}`)
    .toSorted()
    .join('&');

/** As RFC 3986 says, which is more than `encodeURIComponent` does. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
