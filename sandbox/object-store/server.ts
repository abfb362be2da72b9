import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type ErrorName, sendError, sendXml, xml } from './answer.ts';
import { Objects } from './objects.ts';
import { type Account, signatureFault } from './signature.ts';

/** What the store does wrong: refuses all, loses half of what it takes, has lost its bucket, or cuts connections. */
export type StoreFault = 'deny' | 'truncate' | 'gone' | 'cut';

export type ObjectStoreServer = Account & {
  readonly url: string;
  readonly region: string;
  readonly bucket: string;
  /** From now on; undefined: nothing. */
  strike(fault: StoreFault | undefined): void;
  /** For tests: what lies in it. */
  readonly objects: Objects;
  stop(): Promise<void>;
};

type Request = {
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly key: string;
};

const LIST_SIZE = 1000;

/** A small S3: one bucket, path style, what the product uses of it, and 501 for the rest. */
export async function startObjectStore(options: {
  readonly directory: string;
  readonly address?: string;
  readonly bucket?: string;
}): Promise<ObjectStoreServer> {
  const { directory, address = '127.0.0.1', bucket = 'library' } = options;
  const account = { accessKeyId: 'sandbox', secretAccessKey: randomBytes(24).toString('hex') };
  const objects = new Objects(directory);
  let fault: StoreFault | undefined;
  const server = createServer((raw, response) => {
    if (fault === 'cut') {
      raw.socket.destroy();
      return;
    }
    answer(raw, response).catch(() => {
      if (response.headersSent) response.destroy();
      else sendError(response, 'InternalError');
    });
  });

  async function answer(raw: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(raw.url ?? '/', 'http://store');
    const [, name = '', ...rest] = url.pathname.split('/');
    const wrong = refusal(raw, name);
    if (wrong !== undefined) {
      // Who is still sending would take the end of the connection for the answer.
      raw.resume();
      sendError(response, wrong, { body: raw.method !== 'HEAD' });
      return;
    }
    const request = { raw, response, url, key: rest.map(decodeURIComponent).join('/') };
    await (request.key === '' ? ofBucket(request) : ofObject(request));
  }

  function refusal(raw: IncomingMessage, name: string): ErrorName | undefined {
    if (fault === 'deny') return 'AccessDenied';
    return signatureFault(raw, account) ?? (fault === 'gone' || name !== bucket ? 'NoSuchBucket' : undefined);
  }

  const ofBucket = async ({ raw, response, url }: Request): Promise<void> => {
    const prefix = url.searchParams.get('prefix') ?? '';
    if (raw.method !== 'GET') sendError(response, 'NotImplemented');
    else if (url.searchParams.has('uploads')) {
      const uploads = objects
        .uploads(prefix)
        .map(({ key, id }) => xml('Upload', [xml('Key', key), xml('UploadId', id)]));
      sendXml(response, xml('ListMultipartUploadsResult', [xml('IsTruncated', false), ...uploads]));
    } else if (url.searchParams.get('list-type') === '2') {
      const after = url.searchParams.get('continuation-token') ?? '';
      const all = objects.list(prefix).filter(([key]) => key > after);
      const page = all.slice(0, LIST_SIZE);
      const contents = page.map(([key, { bytes, etag, modifiedAt }]) =>
        xml('Contents', [
          xml('Key', key),
          xml('Size', bytes),
          xml('ETag', `"${etag}"`),
          xml('LastModified', modifiedAt.toISOString()),
        ]),
      );
      const more = all.length > page.length;
      const next = more ? [xml('NextContinuationToken', page.at(-1)?.[0] ?? '')] : [];
      const head = [xml('Name', bucket), xml('KeyCount', page.length), xml('IsTruncated', more), ...next];
      sendXml(response, xml('ListBucketResult', [...head, ...contents]));
    } else sendError(response, 'NotImplemented');
    await Promise.resolve();
  };

  const ofObject = async (request: Request): Promise<void> => {
    const { raw, response, url, key } = request;
    const names = [...url.searchParams.keys()].filter((name) => name !== 'x-id');
    switch (`${raw.method} ${names.toSorted().join('&')}`.trim()) {
      case 'PUT':
        await objects.put(key, raw);
        if (fault === 'truncate') await objects.halve(key);
        response.writeHead(200, { etag: `"${objects.find(key)?.etag ?? ''}"` }).end();
        return;
      case 'GET':
      case 'HEAD':
        return read(request);
      case 'DELETE':
        await objects.remove(key);
        response.writeHead(204).end();
        return;
      case 'POST uploads':
        sendXml(
          response,
          xml('InitiateMultipartUploadResult', [
            xml('Bucket', bucket),
            xml('Key', key),
            xml('UploadId', objects.begin(key)),
          ]),
        );
        return;
      case 'PUT partNumber&uploadId': {
        const part = await objects.putPart(upload(url), Number(url.searchParams.get('partNumber')), raw);
        if (part === undefined) sendError(response, 'NoSuchUpload');
        else response.writeHead(200, { etag: `"${part.etag}"` }).end();
        return;
      }
      case 'POST uploadId':
        return finish(request);
      case 'DELETE uploadId':
        if (await objects.abort(upload(url))) response.writeHead(204).end();
        else sendError(response, 'NoSuchUpload');
        return;
      default:
        raw.resume();
        sendError(response, 'NotImplemented', { body: raw.method !== 'HEAD' });
    }
  };

  const upload = (url: URL): string => url.searchParams.get('uploadId') ?? '';

  async function read({ raw, response, key }: Request): Promise<void> {
    const object = objects.find(key);
    if (object === undefined) {
      sendError(response, 'NoSuchKey', { body: raw.method !== 'HEAD' });
      return;
    }
    if (raw.headers['if-none-match'] === `"${object.etag}"`) {
      response.writeHead(304, { etag: `"${object.etag}"` }).end();
      return;
    }
    response.writeHead(200, {
      'content-length': object.bytes,
      'content-type': 'application/octet-stream',
      etag: `"${object.etag}"`,
      'last-modified': object.modifiedAt.toUTCString(),
    });
    const body = raw.method === 'HEAD' ? undefined : objects.read(key);
    if (body === undefined) response.end();
    else await pipeline(body, response);
  }

  async function finish({ raw, response, url }: Request): Promise<void> {
    raw.resume();
    const done = await objects.complete(upload(url));
    if (done === undefined) {
      sendError(response, 'NoSuchUpload');
      return;
    }
    if (fault === 'truncate') await objects.halve(done.key);
    const { key, object } = done;
    sendXml(
      response,
      xml('CompleteMultipartUploadResult', [xml('Bucket', bucket), xml('Key', key), xml('ETag', `"${object.etag}"`)]),
    );
  }

  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...account,
    url: `http://${address}:${port}`,
    region: 'us-east-1',
    bucket,
    objects,
    strike: (next) => {
      fault = next;
    },
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
