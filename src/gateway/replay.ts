import { Readable } from 'node:stream';
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { ForwardAnswer } from '../qdrant/index.ts';

type Read = { readonly answer: ForwardAnswer; readonly bytes: Buffer };

/** An answer whose body was read, as if it had not been. */
export function replay({ answer, bytes }: Read): ForwardAnswer {
  const body = Object.assign(Readable.from([bytes], { objectMode: false }), {
    text: async () => bytes.toString('utf8'),
    arrayBuffer: async () => new Uint8Array(bytes).buffer,
  });
  return { status: answer.status, headers: answer.headers, body };
}

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync,
  zstd: zstdDecompressSync,
};
/** Errors are short. */
const MOST_BYTES = 65_536;

/** What an error says; Qdrant compresses also errors for clients that take it. Empty where it can't be read. */
export function decodedText({ answer, bytes }: Read): string {
  const encoding = answer.headers['content-encoding'];
  try {
    const decode = typeof encoding === 'string' ? DECODERS[encoding] : undefined;
    return bytes.length > MOST_BYTES ? '' : (decode?.(bytes) ?? bytes).toString('utf8');
  } catch {
    return '';
  }
}
