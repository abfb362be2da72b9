import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { command } from './command.ts';

/** A container image: root file systems one over the other, and how a container of it begins. */
export type Image = {
  /** With registry and tag. */
  readonly name: string;
  /** Tar files, the lowest first. */
  readonly layers: readonly string[];
  /** Source: OCI image specification, `config`. */
  readonly config: {
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Env?: readonly string[];
    readonly User?: string;
    readonly WorkingDir?: string;
  };
};

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Writes images into one archive, as `docker save` does. Layers that they share are in it once.
 *
 * @param folder empty, for what goes into the archive
 */
export async function writeArchive(file: string, images: readonly Image[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const digests = new Map<string, string>();
  for (const layer of new Set(images.flatMap(({ layers }) => layers))) {
    const digest = await digestOf(layer);
    digests.set(layer, digest);
    await symlink(layer, join(folder, `${digest}.tar`));
  }
  const manifest = [];
  for (const { name, layers, config } of images) {
    const ofLayers = layers.map((layer) => digests.get(layer) ?? '');
    const document = JSON.stringify({
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: ofLayers.map((digest) => `sha256:${digest}`) },
    });
    const id = createHash('sha256').update(document).digest('hex');
    await writeFile(join(folder, `${id}.json`), document);
    manifest.push({ Config: `${id}.json`, RepoTags: [name], Layers: ofLayers.map((digest) => `${digest}.tar`) });
  }
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  await command('tar', ['--create', '--dereference', `--file=${file}`, `--directory=${folder}`, '.']);
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

export type Part = {
  /** A folder on this machine. */
  readonly from: string;
  /** Files and folders in it. */
  readonly paths: readonly string[];
  /** Where they go in the image, e.g. `app/`. */
  readonly to: string;
};

/** Writes a layer: root's files, readable by everyone, as if written long ago, so that equal content has an equal digest. */
export async function writeLayer(file: string, parts: readonly Part[]): Promise<void> {
  const plain = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u+w,a+rX'];
  for (const [index, { from, paths, to }] of parts.entries()) {
    const list = `${file}.${index}.list`;
    await writeFile(list, paths.join('\n'));
    // Names change, what links point to does not.
    const rename = `--transform=flags=rS;s,^,${to},`;
    const how = index === 0 ? '--create' : '--append';
    await command('tar', [how, `--file=${file}`, ...plain, rename, `--directory=${from}`, `--files-from=${list}`]);
  }
}
