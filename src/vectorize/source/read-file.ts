import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultCode } from '../../http/index.ts';
import { ReadError } from './source.ts';
import { isBelow } from './walk.ts';

/** A file that is written to is read again after so many milliseconds each. */
const AGAIN = [50, 200, 800];

export type OpenFile = Pick<FileHandle, 'stat' | 'read'>;
export type FileOptions = { readonly maxBytes: number; readonly signal: AbortSignal };

/**
 * A file's bytes as they were at one moment.
 *
 * @param root as `realpath` gives it: what a link may not lead out of
 * @throws ReadError
 */
export const readStable = (root: string, path: string, { maxBytes, signal }: FileOptions): Promise<Uint8Array> =>
  untilStable(() => readOnce(root, path, maxBytes), signal);

/** Reads again what changed or was gone for a moment. @throws ReadError, the last one */
export async function untilStable<T>(read: () => Promise<T>, signal: AbortSignal, pauses = AGAIN): Promise<T> {
  for (const pause of pauses) {
    signal.throwIfAborted();
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      if (error.reason !== 'Changing' && error.reason !== 'Vanished') throw error;
    }
    await sleep(pause, undefined, { signal });
  }
  return await read();
}

async function readOnce(root: string, path: string, maxBytes: number): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    const real = await realpath(join(root, path));
    if (!isBelow(root, real)) throw new ReadError('Unreadable', `${path} leads out of the source`);
    // What was a file may be a pipe by now: opening that would wait for ever.
    file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return await wholeFile(file, path, maxBytes);
  } catch (error) {
    if (error instanceof ReadError) throw error;
    const code = faultCode(error);
    const gone = code === 'ENOENT' || code === 'ENOTDIR' || code === 'ESTALE';
    throw gone
      ? new ReadError('Vanished', `${path} was listed and is gone`)
      : new ReadError('Unreadable', `${path} can't be read: ${code}`);
  } finally {
    await file?.close();
  }
}

/** @throws ReadError `Changing` when it is another file after reading than before */
export async function wholeFile(file: OpenFile, path: string, maxBytes: number): Promise<Uint8Array> {
  const before = await file.stat();
  if (!before.isFile()) throw new ReadError('Unreadable', `${path} is no file any more`);
  if (before.size > maxBytes) {
    throw new ReadError('TooLarge', `${path} has ${before.size} bytes, more than ${maxBytes}`);
  }
  // One more than it has: so that a file that grows is seen.
  const buffer = Buffer.allocUnsafe(before.size + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const after = await file.stat();
  const same = after.size === before.size && after.mtimeMs === before.mtimeMs && length === before.size;
  if (!same) throw new ReadError('Changing', `${path} was written to while it was read`);
  return buffer.subarray(0, length);
}
