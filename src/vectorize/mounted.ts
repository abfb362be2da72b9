import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunEnd } from './pipeline/failure.ts';

/**
 * What is in one file of a mounted Secret.
 *
 * @throws RunEnd naming the file, never its content; an empty key is not "no key"
 */
export async function readMounted(directory: string | undefined, file: string): Promise<string> {
  const text = await readOptional(directory, file);
  if (text === undefined) throw new RunEnd('ConfigInvalid', `${file} is not mounted`);
  if (text === '') throw new RunEnd('ConfigInvalid', `${file} is empty`);
  return text;
}

/** @returns undefined where there is no such file */
export async function readOptional(directory: string | undefined, file: string): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  try {
    return (await readFile(join(directory, file), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
