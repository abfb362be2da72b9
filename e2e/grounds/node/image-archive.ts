import { createHash } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layer } from './layer.ts';

/** A container image: root file systems one over the other, and how a container of it begins. */
export type Image = {
  /** With registry and tag. */
  readonly name: string;
  /** The lowest first. */
  readonly layers: readonly Layer[];
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
 * Lays out images in a folder as `docker save` does, with links to the layers. Layers that they share are in it once.
 * `tar --dereference` makes the archive of it.
 */
export async function layOut(folder: string, images: readonly Image[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const layers = new Map(images.flatMap((image) => image.layers).map(({ digest, file }) => [digest, file]));
  for (const [digest, file] of layers) await symlink(file, join(folder, `${digest}.tar`));
  const manifest = [];
  for (const image of images) {
    const document = JSON.stringify({
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: 'linux',
      config: image.config,
      rootfs: { type: 'layers', diff_ids: image.layers.map(({ digest }) => `sha256:${digest}`) },
    });
    const id = createHash('sha256').update(document).digest('hex');
    await writeFile(join(folder, `${id}.json`), document);
    const files = image.layers.map(({ digest }) => `${digest}.tar`);
    manifest.push({ Config: `${id}.json`, RepoTags: [image.name], Layers: files });
  }
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
}
