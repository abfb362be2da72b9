import { pipeline, type Readable, Transform } from 'node:stream';
import { GatewayError } from './errors.ts';

/** How much of requests' bodies may be kept, in bytes. */
export type BodyLimits = {
  /** Largest body that is taken at all. */
  readonly largest: number;
  /** Largest body that is kept, so that it can be sent again. */
  readonly kept: number;
  /** All bodies that are kept at one time. */
  readonly keptInAll: number;
};

/** A request's body: kept, so that it can be sent as often as needed, or a stream that can be sent once. */
export type Body =
  | { readonly kind: 'kept'; readonly bytes: Buffer | null }
  | { readonly kind: 'stream'; readonly stream: Readable };

/** What is kept of all requests together. */
export class BodyKeeper {
  readonly #limits: BodyLimits;
  #held = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  get held(): number {
    return this.#held;
  }

  /**
   * Reads a body that is small enough, and where there is room; leaves any other unread.
   *
   * @param length of the body, where the client says it
   * @returns the body, and what gives its room back
   * @throws GatewayError `BodyTooLarge`
   */
  async take(source: Readable, length: number | undefined): Promise<{ body: Body; release: () => void }> {
    const { largest, kept, keptInAll } = this.#limits;
    if (length !== undefined && length > largest)
      throw new GatewayError('BodyTooLarge', `${length} bytes of ${largest}`);
    if (length === 0) return { body: { kind: 'kept', bytes: null }, release: () => {} };
    if (length === undefined || length > kept || this.#held + length > keptInAll) {
      const stream = limited(largest);
      // A client that leaves ends the stream; whoever reads it is told.
      pipeline(source, stream, () => {});
      return { body: { kind: 'stream', stream }, release: () => {} };
    }
    this.#held += length;
    let released = false;
    const release = (): void => {
      if (!released) this.#held -= length;
      released = true;
    };
    try {
      const chunks: Buffer[] = [];
      // A body that is longer than its length is cut by the server.
      for await (const chunk of source as AsyncIterable<Buffer>) chunks.push(chunk);
      return { body: { kind: 'kept', bytes: Buffer.concat(chunks) }, release };
    } catch (error) {
      release();
      throw error;
    }
  }
}

/** Ends a stream that grows beyond the limit. */
function limited(largest: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > largest) done(new GatewayError('BodyTooLarge', `more than ${largest} bytes`));
      else done(null, chunk);
    },
  });
}

/** Whether a write names its points: then the same write may be sent again without hitting points written in between. */
export function namesItsPoints(bytes: Buffer | null): boolean {
  try {
    return onlyIds(JSON.parse((bytes ?? Buffer.alloc(0)).toString('utf8')));
  } catch {
    return false;
  }
}

function onlyIds(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const { filter, operations } = body as { filter?: unknown; operations?: unknown };
  if (filter !== undefined && filter !== null) return false;
  if (!Array.isArray(operations)) return true;
  return operations.every((operation: unknown) =>
    typeof operation === 'object' && operation !== null ? Object.values(operation).every(onlyIds) : false,
  );
}
