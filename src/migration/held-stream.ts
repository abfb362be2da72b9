import { Readable } from 'node:stream';

/**
 * Passes a stream on as long as `mayGoOn` lets it. What stops in the middle is never the whole thing: neither a bucket
 * nor Qdrant makes anything of it.
 */
export function heldStream(source: AsyncIterable<Buffer>, mayGoOn: (bytes: number) => Promise<void>): Readable {
  async function* passed(): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      await mayGoOn(chunk.length);
      yield chunk;
    }
    await mayGoOn(0);
  }
  return Readable.from(passed(), { objectMode: false });
}
