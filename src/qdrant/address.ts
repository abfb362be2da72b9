import { QdrantError } from './errors.ts';

/** @throws QdrantError `BadRequest`; its message doesn't repeat the text, which may hold a password */
export function httpUrl(text: string, peer: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const fits = (url?.protocol === 'http:' || url?.protocol === 'https:') && url.username === '' && url.password === '';
  if (url !== undefined && fits) return url;
  const message = 'its address is not an http(s) URL without a user and password';
  throw new QdrantError({ code: 'BadRequest', operation: 'connect', peer, message });
}
