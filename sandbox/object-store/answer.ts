import type { ServerResponse } from 'node:http';

/** Source: Amazon S3 API Reference, "Error responses". */
const ERRORS = {
  AccessDenied: [403, 'Access Denied'],
  InvalidAccessKeyId: [403, 'The access key is not known'],
  SignatureDoesNotMatch: [403, 'The signature does not match'],
  NoSuchBucket: [404, 'The bucket does not exist'],
  NoSuchKey: [404, 'The key does not exist'],
  NoSuchUpload: [404, 'The upload does not exist'],
  NotImplemented: [501, 'Not built'],
  InternalError: [500, 'It broke'],
} as const;
export type ErrorName = keyof typeof ERRORS;

export function sendError(response: ServerResponse, name: ErrorName, { body = true } = {}): void {
  const [status, message] = ERRORS[name];
  if (body) sendXml(response, xml('Error', [xml('Code', name), xml('Message', message)]), status);
  else response.writeHead(status).end();
}

export function sendXml(response: ServerResponse, content: string, status = 200): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n${content}`;
  response
    .writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(text) })
    .end(text);
}

export const xml = (name: string, content: string | number | boolean | readonly string[]): string =>
  `<${name}>${typeof content === 'object' ? content.join('') : safe(String(content))}</${name}>`;

const SIGNS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const safe = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => SIGNS[sign] ?? sign);
