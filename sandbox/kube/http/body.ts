import type { IncomingMessage, ServerResponse } from 'node:http';
import { load } from 'js-yaml';
import { isObject, type JsonObject } from '../json.ts';
import { badRequest, NoSuchPage, StatusError, statusObject, unsupportedMediaType } from '../status.ts';
import { fromProtobuf, PROTOBUF } from './protobuf.ts';

const MOST_BYTES = 3 * 1024 * 1024;

/** The body as text; protobuf is turned into JSON here, so that nothing else has to know of it. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    if (size > MOST_BYTES)
      throw new StatusError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MOST_BYTES}`);
    chunks.push(bytes);
  }
  const bytes = Buffer.concat(chunks);
  return isProtobuf(request) ? JSON.stringify(fromProtobuf(bytes)) : bytes.toString('utf8');
}

const headerType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
const isProtobuf = (request: IncomingMessage): boolean => headerType(request) === PROTOBUF;

/** The type of what `readBody` gives. */
export const mediaType = (request: IncomingMessage): string =>
  isProtobuf(request) ? 'application/json' : headerType(request);

/** A body that is an object, in JSON or YAML. */
export function parseObject(text: string, contentType: string): JsonObject {
  if (contentType !== '' && contentType !== 'application/json' && contentType !== 'application/yaml') {
    throw unsupportedMediaType(['application/json', 'application/yaml']);
  }
  let value: unknown;
  try {
    value = contentType === 'application/yaml' ? load(text) : JSON.parse(text);
  } catch (error) {
    throw badRequest(
      `couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (!isObject(value)) throw badRequest("couldn't get version/kind; json parse error: not an object");
  return value;
}

export type Answer = {
  readonly code: number;
  readonly body: JsonObject | string | Buffer;
  readonly contentType?: string;
};

export function answer(
  response: ServerResponse,
  { code, body, contentType }: Answer,
  warnings: readonly string[] = [],
): void {
  if (response.headersSent || response.destroyed) return;
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : `${JSON.stringify(body)}\n`;
  const type = contentType ?? (typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json');
  if (warnings.length > 0)
    response.setHeader(
      'warning',
      warnings.map((warning) => `299 - ${JSON.stringify(warning)}`),
    );
  response.writeHead(code, {
    'content-type': type,
    'cache-control': 'no-cache, private',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

export function answerError(response: ServerResponse, error: unknown): number {
  if (error instanceof NoSuchPage) {
    answer(response, { code: 404, body: '404 page not found\n' });
    return 404;
  }
  const status =
    error instanceof StatusError
      ? error
      : new StatusError(
          500,
          'InternalError',
          `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`,
        );
  const wait = status.details?.retryAfterSeconds;
  if (wait !== undefined && !response.headersSent) response.setHeader('retry-after', String(wait));
  answer(response, { code: status.code, body: statusObject(status) });
  return status.code;
}
