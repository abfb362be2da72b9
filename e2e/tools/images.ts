import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { CannotStart } from '../ground.ts';
import { baseLayer } from '../grounds/node/base-layer.ts';
import { command } from '../grounds/node/command.ts';
import { layOut } from '../grounds/node/image-archive.ts';
import { readyPackages } from '../grounds/node/machine.ts';
import { productImages } from '../grounds/node/product-images.ts';

/** Names that no registry has: what is made here shall not stand in for what is published. */
const REPOSITORIES = { operator: 'localhost/qdrant-librarian', qdrant: 'localhost/qdrant' };

const say = (text: string): void => void process.stdout.write(text);

async function writeArchive(file: string): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), 'qdrant-librarian-images-'));
  try {
    if (process.getuid?.() !== 0) throw new CannotStart('root file systems of images are made by root');
    await readyPackages(['tar', 'mmdebstrap'], say);
    const folder = join(place, 'images');
    const qdrant = process.env['QDRANT_BIN'] || undefined;
    const images = await productImages(folder, await baseLayer(say), { repositories: REPOSITORIES, qdrant });
    await layOut(folder, images);
    await command('tar', ['--create', '--dereference', `--file=${resolve(file)}`, `--directory=${folder}`, '.']);
    for (const { name } of images) say(`${name}\n`);
    if (qdrant === undefined) say("Qdrant's is the sandbox's engine: QDRANT_BIN is not set\n");
  } finally {
    await rm(place, { recursive: true });
  }
}

/** Exit code 3: they can't be made here. */
async function main(file: string): Promise<void> {
  try {
    await writeArchive(file);
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 3;
  }
}

await new Command('e2e:images')
  .description("Writes an archive of the operator's image and Qdrant's, for a cluster that is given no registry.")
  .argument('<file>', 'the archive, as docker save writes it')
  .action(main)
  .parseAsync();
