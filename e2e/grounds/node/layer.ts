import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { command } from './command.ts';

/** A root file system, or a part of one, as a tar file. */
export type Layer = {
  readonly file: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
};

export type Part = {
  /** A folder on this machine. */
  readonly from: string;
  /** Files and folders in it. */
  readonly paths: readonly string[];
  /** What their names begin with in the image, e.g. `app/`; for a single file it may be its whole new name. */
  readonly to: string;
  /** Names in the image are `to` alone: for one file that is called differently there. */
  readonly renamed?: boolean;
};

const DAY_MILLISECONDS = 24 * 3600 * 1000;

/** Writes a layer: root's files, readable by everyone, as if written long ago, so that equal content has an equal digest. */
export async function writeLayer(file: string, parts: readonly Part[]): Promise<Layer> {
  const plain = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u+w,a+rX'];
  for (const [index, { from, paths, to, renamed = false }] of parts.entries()) {
    const list = `${file}.list`;
    await writeFile(list, paths.join('\n'));
    // Names change, what links point to does not.
    const rename_ = `--transform=flags=rS;s,^${renamed ? '.*' : ''},${to},`;
    const how = index === 0 ? '--create' : '--append';
    await command('tar', [how, `--file=${file}`, ...plain, rename_, `--directory=${from}`, `--files-from=${list}`]);
    await rm(list);
  }
  return { file, digest: await digestOf(file) };
}

export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/**
 * A layer out of the cache; made when it is not there.
 *
 * @param key everything that its content depends on
 * @param make writes the file that it is given
 */
export async function cachedLayer(
  name: string,
  key: readonly unknown[],
  make: (file: string) => Promise<unknown>,
): Promise<Layer> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'qdrant-librarian/layers');
  await mkdir(cache, { recursive: true });
  const hash = createHash('sha256').update(JSON.stringify([process.arch, ...key]));
  const file = join(cache, `${name}-${hash.digest('hex').slice(0, 12)}.tar`);
  const known = await readFile(`${file}.sha256`, 'utf8').catch(() => undefined);
  if (known !== undefined) return { file, digest: known };

  await removeOld(cache, name);
  const unfinished = `${file}.${process.pid}.tar`;
  try {
    await make(unfinished);
    const digest = await digestOf(unfinished);
    await rename(unfinished, file);
    await writeFile(`${file}.sha256`, digest);
    return { file, digest };
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** What another run may still use is younger. */
async function removeOld(cache: string, name: string): Promise<void> {
  for (const entry of await readdir(cache)) {
    if (!entry.startsWith(`${name}-`)) continue;
    const { mtimeMs } = await stat(join(cache, entry));
    if (Date.now() - mtimeMs > DAY_MILLISECONDS) await rm(join(cache, entry), { force: true });
  }
}
