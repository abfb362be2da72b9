/** Bytes and points of one write request. Qdrant refuses a JSON body beyond 32 MB. */
export type BatchLimits = { readonly targetBytes: number; readonly maxBytes: number; readonly maxPoints: number };

const MEGABYTE = 1024 * 1024;
export const DEFAULT_BATCH: BatchLimits = {
  targetBytes: 8 * MEGABYTE - 1024,
  maxBytes: 32 * MEGABYTE - 1024,
  maxPoints: 1024,
};

/** An item that no request can carry. */
export class OversizedItem extends RangeError {
  readonly bytes: number;

  constructor(bytes: number, limit: number) {
    super(`it takes ${bytes} bytes, over the ${limit} that one request may have`);
    this.bytes = bytes;
  }
}

/**
 * Cuts items into batches in order: together they are the input, none is empty, and none is over `targetBytes`
 * but for a single item that is larger by itself.
 *
 * @throws OversizedItem for an item over `maxBytes`
 */
export function* batches<T>(
  items: Iterable<T>,
  bytesOf: (item: T) => number,
  limits: BatchLimits = DEFAULT_BATCH,
): Generator<T[]> {
  let batch: T[] = [];
  let total = 0;
  for (const item of items) {
    const bytes = bytesOf(item);
    if (bytes > limits.maxBytes) throw new OversizedItem(bytes, limits.maxBytes);
    if (batch.length > 0 && (total + bytes > limits.targetBytes || batch.length >= limits.maxPoints)) {
      yield batch;
      batch = [];
      total = 0;
    }
    batch.push(item);
    total += bytes;
  }
  if (batch.length > 0) yield batch;
}
