import { type Document, DocumentError } from './document.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const BOM_BYTES = 3;
const STRIDE = 256;

/** A document's text, and where each of its characters is in its bytes. */
export type SourceText = {
  /** Without a byte order mark. */
  readonly text: string;
  /** Byte offset of a UTF-16 offset. */
  readonly byteAt: (offset: number) => number;
};

/**
 * @param maxBytes default 16 MiB
 * @throws DocumentError when the bytes are too many, no text, not UTF-8 or blank
 */
export function readText({ path, bytes }: Document, maxBytes = MAX_BYTES): SourceText {
  if (bytes.length > maxBytes) {
    throw new DocumentError('TooLarge', path, `${path} has ${bytes.length} bytes, more than ${maxBytes}`);
  }
  const text = decode(path, bytes);
  if (text.trim() === '') throw new DocumentError('Empty', path, `${path} holds no text`);
  const base = hasMark(bytes) ? BOM_BYTES : 0;
  return { text, byteAt: text.length === bytes.length ? (offset) => offset : byteIndex(text, base) };
}

function decode(path: string, bytes: Uint8Array): string {
  if (isUtf16(bytes)) throw new DocumentError('NotUtf8', path, `${path} is UTF-16, not UTF-8`);
  if (bytes.includes(0)) throw new DocumentError('Binary', path, `${path} holds null bytes: it is no text`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DocumentError('NotUtf8', path, `${path} is not UTF-8`);
  }
}

const hasMark = (bytes: Uint8Array): boolean => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;

const isUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

/** A byte offset every 256 characters; what is between is counted when asked. */
function byteIndex(text: string, base: number): (offset: number) => number {
  const marks = new Uint32Array(Math.floor(text.length / STRIDE) + 1);
  let bytes = base;
  for (let at = 0; at < text.length; at += 1) {
    if (at % STRIDE === 0) marks[at / STRIDE] = bytes;
    bytes += width(text.charCodeAt(at));
  }
  const total = bytes;
  return (offset) => {
    if (offset >= text.length) return total;
    const mark = Math.floor(offset / STRIDE);
    let result = marks[mark] ?? 0;
    for (let at = mark * STRIDE; at < offset; at += 1) result += width(text.charCodeAt(at));
    return result;
  };
}

/** UTF-8 bytes of a UTF-16 unit; a pair's four are counted with its first half. */
function width(unit: number): number {
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  if (unit >= 0xd800 && unit < 0xdc00) return 4;
  return unit >= 0xdc00 && unit < 0xe000 ? 0 : 3;
}
