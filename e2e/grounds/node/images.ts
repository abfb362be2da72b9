import { mkdir } from 'node:fs/promises';
import { baseLayer } from './base-layer.ts';
import { type Image, layOut } from './image-archive.ts';
import { productImages, programLayer } from './product-images.ts';

export const PAUSE_IMAGE = 'localhost/pause:1';
/** As a node calls them when a chart names no registry. */
const REPOSITORIES = { operator: 'docker.io/library/qdrant-librarian', qdrant: 'docker.io/qdrant/qdrant' };

export type ImageSources = {
  /** Programs that run in pods of their own. */
  readonly coredns: string;
  readonly localPathProvisioner: string;
  /** The real Qdrant; undefined = the sandbox's engine. */
  readonly qdrant: string | undefined;
};

/**
 * Makes all images that the node runs: there is no registry to pull from. What seldom changes comes out of the cache.
 *
 * @param folder of its own, where they are laid out for an archive; may be removed when they were imported
 */
export async function makeImages(folder: string, sources: ImageSources, say: (text: string) => void): Promise<void> {
  await mkdir(folder, { recursive: true });
  const base = await baseLayer(say);
  const coredns = await programLayer('coredns', sources.coredns, 'coredns');
  const localPath = await programLayer(
    'local-path-provisioner',
    sources.localPathProvisioner,
    'local-path-provisioner',
  );
  const images: Image[] = [
    { name: PAUSE_IMAGE, layers: [base], config: { Entrypoint: ['/pause', 'infinity'] } },
    { name: 'localhost/debian:1', layers: [base], config: { Cmd: ['/bin/sh'] } },
    { name: 'localhost/coredns:1', layers: [base, coredns], config: { Entrypoint: ['/coredns'] } },
    {
      name: 'localhost/local-path-provisioner:1',
      layers: [base, localPath],
      config: { Entrypoint: ['/local-path-provisioner'] },
    },
    ...(await productImages(folder, base, { repositories: REPOSITORIES, qdrant: sources.qdrant })),
  ];
  await layOut(folder, images);
}
