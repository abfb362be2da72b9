import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { TaskFailure } from './failure.ts';
import type { BucketConfig } from './task-config.ts';

export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };
export type StoredObject = { readonly key: string; readonly bytes: number };
/** An upload in parts that was neither finished nor aborted: it costs money and shows in no list of objects. */
export type OpenUpload = { readonly key: string; readonly id: string };

/** What snapshots need of an S3 bucket. Everything throws `TaskFailure`; its message holds no credential. */
export type Bucket = {
  readonly prefix: string;
  /** Streams in parts: only a few of them are in memory at a time. */
  put(key: string, body: Readable, options: { readonly bytes: number; readonly signal: AbortSignal }): Promise<void>;
  putText(key: string, text: string): Promise<void>;
  /** Undefined where there is no such object. */
  getText(key: string): Promise<string | undefined>;
  get(key: string): Promise<Readable>;
  /** Undefined where there is no such object. */
  size(key: string): Promise<number | undefined>;
  list(prefix: string): Promise<StoredObject[]>;
  remove(key: string): Promise<void>;
  openUploads(prefix: string): Promise<OpenUpload[]>;
  abort(upload: OpenUpload): Promise<void>;
  close(): void;
};

const PART_BYTES = 8 * 1024 * 1024;
/** S3 takes 10 000 parts. */
const MOST_PARTS = 9000;
const PARTS_AT_ONCE = 2;
const ATTEMPTS = 3;
const CONNECT_MILLISECONDS = 5000;
const SILENCE_MILLISECONDS = 60_000;
const LARGEST_TEXT = 4 * 1024 * 1024;

/** @param credentials those of the pod's identity when not given */
export function openBucket(config: BucketConfig, credentials: Credentials | undefined): Bucket {
  const { bucket: Bucket, prefix, endpoint, region } = config;
  const client = new S3Client({
    region,
    maxAttempts: ATTEMPTS,
    // Checksums of the SDK's own kind are unknown to older services; what is stored is checked by SHA-256.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MILLISECONDS, requestTimeout: SILENCE_MILLISECONDS },
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  const doing = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw failureOf(error, { what, bucket: Bucket });
    }
  };
  const found = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw failureOf(error, { what, bucket: Bucket });
    }
  };
  return {
    prefix,
    put: (Key, Body, { bytes, signal }) =>
      doing(`writing ${Key}`, async () => {
        const partSize = Math.max(PART_BYTES, Math.ceil(bytes / MOST_PARTS));
        const upload = new Upload({ client, params: { Bucket, Key, Body }, partSize, queueSize: PARTS_AT_ONCE });
        const stop = (): void => void upload.abort();
        signal.addEventListener('abort', stop, { once: true });
        try {
          await upload.done();
        } finally {
          signal.removeEventListener('abort', stop);
        }
      }),
    putText: (Key, text) =>
      doing(`writing ${Key}`, async () => {
        const Body = Buffer.from(text);
        await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/json' }));
      }),
    getText: (Key) =>
      found(`reading ${Key}`, async () => {
        const { Body, ContentLength = 0 } = await client.send(new GetObjectCommand({ Bucket, Key }));
        if (ContentLength > LARGEST_TEXT)
          throw new TaskFailure('ManifestInvalid', `${Key} is too large`, { lasting: true });
        return (await Body?.transformToString()) ?? '';
      }),
    get: (Key) =>
      doing(`reading ${Key}`, async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
        if (Body === undefined) throw new TaskFailure('BucketFailed', `${Key} has no content`);
        return Body as Readable;
      }),
    size: async (Key) => {
      const what = `looking at ${Key}`;
      const bytes = await found(
        what,
        async () => (await client.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength,
      );
      // An answer to HEAD has no body that could tell an object that is missing from a bucket that is: a list does.
      if (bytes === undefined)
        await doing(what, () => client.send(new ListObjectsV2Command({ Bucket, Prefix: Key, MaxKeys: 1 })));
      return bytes;
    },
    list: (Prefix) =>
      doing(`listing ${Prefix}`, async () => {
        const objects: StoredObject[] = [];
        let ContinuationToken: string | undefined;
        do {
          const page = await client.send(
            new ListObjectsV2Command({
              Bucket,
              Prefix,
              ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
            }),
          );
          for (const { Key, Size = 0 } of page.Contents ?? [])
            if (Key !== undefined) objects.push({ key: Key, bytes: Size });
          ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        } while (ContinuationToken !== undefined);
        return objects;
      }),
    remove: (Key) =>
      doing(`deleting ${Key}`, async () => void (await client.send(new DeleteObjectCommand({ Bucket, Key })))),
    openUploads: (Prefix) =>
      doing(`listing uploads under ${Prefix}`, async () => {
        const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }));
        return Uploads.flatMap(({ Key, UploadId }) =>
          Key === undefined || UploadId === undefined ? [] : [{ key: Key, id: UploadId }],
        );
      }),
    abort: ({ key: Key, id: UploadId }) =>
      doing(`aborting the upload of ${Key}`, async () => {
        await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      }),
    close: () => client.destroy(),
  };
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;

/** An object, not its bucket. */
const isMissing = (error: unknown): boolean =>
  statusOf(error) === 404 && !(error instanceof S3ServiceException && error.name === 'NoSuchBucket');

/** By the names that S3 gives its errors; only name and status go into the message. */
function failureOf(error: unknown, { what, bucket }: { what: string; bucket: string }): unknown {
  if (error instanceof TaskFailure) return error;
  if (!(error instanceof Error)) return new TaskFailure('BucketFailed', `bucket ${bucket}: ${what} failed`);
  const status = statusOf(error);
  // What breaks a stream on its way up is no failure of the bucket.
  if (status === undefined && !isNetwork(error)) return error;
  const said = status === undefined ? codeOf(error) : `${error.name}, status ${status}`;
  const message = `bucket ${bucket}: ${what}: ${said}`;
  if (status === undefined) return new TaskFailure('BucketUnreachable', message, { cause: error });
  if (error.name === 'NoSuchBucket') return new TaskFailure('BucketMissing', message, { cause: error });
  if (status === 401 || status === 403) return new TaskFailure('BucketDenied', message, { cause: error });
  if (status === 404) return new TaskFailure('PartMissing', message, { cause: error, lasting: true });
  return new TaskFailure('BucketFailed', message, { cause: error });
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : error.name);

const NETWORK = /^(?:ECONN|ENOTFOUND|EAI_|EPIPE|ETIMEDOUT|EHOST|ENET|TimeoutError|NetworkingError|UND_ERR)/;
const isNetwork = (error: Error): boolean => NETWORK.test(codeOf(error));
