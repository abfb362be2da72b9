import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Deadline } from '../http/index.ts';
import type { Attempt } from './attempt.ts';
import { isQdrantError, type QdrantError } from './errors.ts';
import { aborted, timedOut, unanswered, unexpected } from './faults.ts';
import type { PeerTransport, RestStream } from './peer-transport.ts';

/** A snapshot on its way. Reading it to its end without an error means it is whole. */
export type Download = {
  readonly body: Readable;
  /** As announced; a shard streamed without a file announces none. */
  readonly bytes: number | undefined;
  /** Whether the end of the stream compares the SHA-256 that Qdrant stored beside the file. */
  readonly verified: boolean;
  /** The SHA-256 in hex of all bytes; throws before the stream has ended. */
  readonly sha256: () => string;
};

type Reading = { readonly peer: PeerTransport; readonly attempt: Attempt; readonly checksum: string | undefined };

/** The body of an answer as a stream that ends only when everything came and the checksum fits. */
export function readDownload({ body, headers, deadline }: RestStream, { peer, attempt, checksum }: Reading): Download {
  const origin = peer.origin(attempt);
  const hash = createHash('sha256');
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  // Whoever reads is told by the iterator; one that is let go in the middle says so once more, and that ended the process.
  body.on('error', () => {});
  let digest: string | undefined;
  const next = async (): Promise<Buffer | null> => {
    deadline.extend();
    const { value } = await chunks.next();
    // A reader that takes its time is no silence of the server.
    deadline.pause();
    if (value !== undefined) {
      hash.update(value);
      return value;
    }
    const sha256 = hash.digest('hex');
    if (checksum !== undefined && checksum !== sha256) {
      throw unexpected(200, `the snapshot's checksum is ${sha256}, not ${checksum}`, origin);
    }
    digest = sha256;
    return null;
  };
  const fault = (error: unknown): QdrantError => {
    if (isQdrantError(error)) return error;
    if (deadline.expired()) return timedOut(attempt.timeout, origin);
    return attempt.signal?.aborted === true ? aborted(origin, true) : unanswered(error, origin);
  };
  const checked = new Readable({
    highWaterMark: 1024 * 1024,
    read() {
      next().then(
        (chunk) => this.push(chunk),
        (error: unknown) => this.destroy(fault(error)),
      );
    },
    destroy(error, callback) {
      deadline.clear();
      body.destroy();
      callback(error);
    },
  });
  return {
    body: checked,
    bytes: headers['content-length'] === undefined ? undefined : Number(headers['content-length']),
    verified: checksum !== undefined,
    sha256: () => {
      if (digest === undefined) throw new RangeError('the download has not ended');
      return digest;
    },
  };
}

/** A snapshot to send: `bytes` when known, else it goes chunked. */
export type Upload = { readonly body: Readable; readonly bytes?: number };

export type UploadBody = {
  readonly contentType: string;
  readonly contentLength: number | undefined;
  readonly stream: (deadline: Deadline) => Readable;
  /** Why the caller's own stream failed, if it did. */
  readonly sourceError: () => unknown;
};

/** A multipart form with the one field `snapshot`, passed on as it comes. */
export function uploadBody({ body, bytes }: Upload, afterwards: number): UploadBody {
  const boundary = `qdrant-librarian-${randomUUID()}`;
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="snapshot"; filename="snapshot"\r\nContent-Type: application/octet-stream\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  let failure: unknown;
  async function* parts(deadline: Deadline): AsyncGenerator<Buffer> {
    yield head;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        deadline.extend();
        yield chunk;
      }
    } catch (error) {
      failure = error;
      throw error;
    }
    // All is sent: from here Qdrant unpacks and is silent for as long as that takes.
    deadline.extend(afterwards);
    yield tail;
  }
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    contentLength: bytes === undefined ? undefined : head.length + bytes + tail.length,
    stream: (deadline) => Readable.from(parts(deadline), { objectMode: false }),
    sourceError: () => failure,
  };
}
