import { GetObjectCommand, paginateListObjectsV2, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { faultCode } from '../../http/index.ts';
import type { Selection } from './selection.ts';
import { type Content, type Entry, entriesOf, Problems, ReadError, type Source, SourceError } from './source.ts';

export type BucketOptions = {
  readonly bucket: string;
  /** What keys begin with; it is no part of a document's path where it ends with `/`. */
  readonly prefix?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly region: string;
  /** Those of the pod's identity when not given. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly selection: Selection;
};

const ATTEMPTS = 4;
const CONNECT_MILLISECONDS = 5000;
const SILENCE_MILLISECONDS = 60_000;

/** Objects of a bucket, named by what their keys have after the prefix. */
export function bucketSource(options: BucketOptions): Source {
  const { bucket, prefix = '', endpoint, region, credentials, selection } = options;
  const client = new S3Client({
    region,
    maxAttempts: ATTEMPTS,
    // Checksums of the SDK's own kind are unknown to older services.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MILLISECONDS, requestTimeout: SILENCE_MILLISECONDS },
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  const root = prefix.endsWith('/') ? prefix : prefix.slice(0, prefix.lastIndexOf('/') + 1);
  return {
    list: async (signal, moved) => {
      const problems = new Problems();
      try {
        const entries: Entry[] = [];
        const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }, { abortSignal: signal });
        for await (const { Contents: objects = [] } of pages) {
          moved?.();
          for (const { Key: key = '' } of objects) {
            const path = key.slice(root.length);
            // Consoles make empty objects of such names for folders.
            if (path !== '' && !path.endsWith('/') && selection.wants(path)) entries.push({ path });
          }
        }
        return { entries: entriesOf(entries), total: entries.length, end: () => problems.end() };
      } catch (error) {
        signal.throwIfAborted();
        throw sourceError(bucket, error);
      }
    },
    read: async ({ path }, { maxBytes, signal, known }) => {
      try {
        const command = new GetObjectCommand({
          Bucket: bucket,
          Key: root + path,
          ...(known && { IfNoneMatch: known }),
        });
        const {
          Body: body,
          ContentLength: length,
          ContentType: type,
          ETag: etag,
        } = await client.send(command, {
          abortSignal: signal,
        });
        if (length === undefined || body === undefined) throw new ReadError('Unreadable', `${path} has no content`);
        if (length > maxBytes) {
          // Else the connection waits for somebody to read it.
          if ('destroy' in body) body.destroy();
          throw new ReadError('TooLarge', `${path} has ${length} bytes, more than ${maxBytes}`);
        }
        const bytes = await body.transformToByteArray();
        if (bytes.length !== length) throw new ReadError('Unreadable', `${path} was cut off`);
        return contentOf(bytes, { type, etag });
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 304) return undefined;
        throw readError(path, error);
      }
    },
    close: async () => client.destroy(),
  };
}

/** What a bucket calls binary is what nobody told it the type of. */
const contentOf = (
  bytes: Uint8Array,
  { type, etag }: { type: string | undefined; etag: string | undefined },
): Content => ({
  bytes,
  ...(type === undefined || type.endsWith('/octet-stream') ? {} : { mediaType: type }),
  ...(etag === undefined ? {} : { validator: etag }),
});

function readError(path: string, error: unknown): ReadError {
  if (error instanceof ReadError) return error;
  if (!(error instanceof S3ServiceException)) {
    return new ReadError('Unreadable', `${path} can't be read: ${faultCode(error) || 'no answer'}`);
  }
  if (error.name === 'NoSuchKey') return new ReadError('Vanished', `${path} was listed and is gone`);
  return new ReadError('Unreadable', `${path} can't be read: ${error.name}`);
}

const UNAUTHORIZED = new Set([401, 403]);

function sourceError(bucket: string, error: unknown): SourceError {
  if (!(error instanceof S3ServiceException)) {
    const code = faultCode(error) || (error instanceof Error ? error.name : 'no answer');
    return new SourceError('SourceUnreachable', `bucket ${bucket}: ${code}`);
  }
  const { name, $metadata: metadata } = error;
  if (name === 'NoSuchBucket') return new SourceError('SourceMissing', `bucket ${bucket}: ${name}`);
  const refused = UNAUTHORIZED.has(metadata.httpStatusCode ?? 0);
  return new SourceError(refused ? 'SourceUnauthorized' : 'SourceUnreachable', `bucket ${bucket}: ${name}`);
}
