import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { baseLayer } from './base-layer.ts';
import { type Image, writeArchive, writeLayer } from './image-archive.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

export const PAUSE_IMAGE = 'localhost/pause:1';
export const DEBIAN_IMAGE = 'localhost/debian:1';
/** The version that scenarios ask for. */
const QDRANT_IMAGE = 'docker.io/qdrant/qdrant:v1.18.3';

const ENGINE = `#!/bin/sh
exec /nodejs/bin/node --max-semi-space-size=1 --max-old-space-size=256 /app/sandbox/qdrant/main.ts "$@"
`;

export type ImageSources = {
  /** Programs of one file that run in pods of their own. */
  readonly coredns: string;
  readonly localPathProvisioner: string;
  /** The real Qdrant; undefined = the sandbox's engine. */
  readonly qdrant: string | undefined;
};

/**
 * Makes all images that the node runs, in one archive: there is no registry to pull from.
 *
 * @param folder of its own; may be removed when the archive was imported
 */
export async function makeImages(folder: string, sources: ImageSources, say: (text: string) => void): Promise<string> {
  await mkdir(folder, { recursive: true });
  const base = await baseLayer(say);
  const at = (name: string): string => join(folder, name);
  await writeLayer(at('operator.tar'), [
    await productionFiles(folder),
    await programIn(folder, process.execPath, 'nodejs/bin/node'),
  ]);
  await writeLayer(at('coredns.tar'), [await programIn(folder, sources.coredns, 'coredns')]);
  await writeLayer(at('local-path.tar'), [
    await programIn(folder, sources.localPathProvisioner, 'local-path-provisioner'),
  ]);
  const images: Image[] = [
    { name: PAUSE_IMAGE, layers: [base], config: { Entrypoint: ['/pause', 'infinity'] } },
    { name: DEBIAN_IMAGE, layers: [base], config: { Cmd: ['/bin/sh'] } },
    { name: 'localhost/coredns:1', layers: [base, at('coredns.tar')], config: { Entrypoint: ['/coredns'] } },
    {
      name: 'localhost/local-path-provisioner:1',
      layers: [base, at('local-path.tar')],
      config: { Entrypoint: ['/local-path-provisioner'] },
    },
    { name: await operatorImage(), layers: [base, at('operator.tar')], config: await operatorConfig() },
    await qdrantImage(folder, base, sources.qdrant),
  ];
  const archive = at('images.tar');
  await writeArchive(archive, images, at('archive'));
  return archive;
}

async function qdrantImage(folder: string, base: string, binary: string | undefined): Promise<Image> {
  const layer = join(folder, 'qdrant.tar');
  const config = { WorkingDir: '/qdrant', Entrypoint: ['./qdrant'] };
  if (binary !== undefined) {
    await writeLayer(layer, [await programIn(folder, binary, 'qdrant/qdrant')]);
    return { name: QDRANT_IMAGE, layers: [base, layer], config };
  }
  const entry = join(folder, 'engine');
  await writeFile(entry, ENGINE, { mode: 0o755 });
  await writeLayer(layer, [
    { from: ROOT, paths: ['sandbox'], to: 'app/' },
    await programIn(folder, entry, 'qdrant/qdrant'),
  ]);
  // Scenarios strike it with faults.
  const environment = { Env: ['SANDBOX_QDRANT_FAULTS=1'] };
  return {
    name: QDRANT_IMAGE,
    layers: [base, join(folder, 'operator.tar'), layer],
    config: { ...config, ...environment },
  };
}

/** As `docker.io/library` has it when a chart names no registry. */
async function operatorImage(): Promise<string> {
  const chart = await readFile(join(ROOT, 'charts/qdrant-librarian/Chart.yaml'), 'utf8');
  const version = /^appVersion: (?<version>\S+)$/m.exec(chart)?.groups?.['version'];
  return `docker.io/library/qdrant-librarian:${version}`;
}

/** User and arguments are those of the Dockerfile, so that what plays here is what is published. */
async function operatorConfig(): Promise<Image['config']> {
  const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
  const last = (instruction: string): string => {
    const value = dockerfile.split('\n').findLast((line) => line.startsWith(`${instruction} `));
    if (value === undefined) throw new Error(`the Dockerfile has no ${instruction}`);
    return value.slice(instruction.length + 1);
  };
  return {
    Entrypoint: JSON.parse(last('ENTRYPOINT')) as string[],
    Cmd: JSON.parse(last('CMD')) as string[],
    User: last('USER'),
    WorkingDir: last('WORKDIR'),
    Env: [last('ENV')],
  };
}

type Lockfile = {
  readonly packages: Readonly<Record<string, { readonly [flag in 'dev' | 'optional' | 'devOptional']?: boolean }>>;
};

/** What `npm ci --omit=dev --omit=optional` would install, out of what is installed, and the sources beside it. */
async function productionFiles(folder: string) {
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as Lockfile;
  const modules = Object.entries(packages)
    .filter(
      ([path, flags]) => path !== '' && flags.dev !== true && flags.optional !== true && flags.devOptional !== true,
    )
    .map(([path]) => path);
  // A package inside another one comes with it.
  const outer = modules.filter((path) => !modules.some((other) => path.startsWith(`${other}/`)));
  await mkdir(folder, { recursive: true });
  return { from: ROOT, paths: ['package.json', 'crds', 'src', ...outer], to: 'app/' };
}

/** A copy of a program under the name that it has in the image. */
async function programIn(folder: string, program: string, path: string) {
  const from = join(folder, 'programs', path.replaceAll('/', '-'));
  await mkdir(from, { recursive: true });
  const copy = join(from, basename(path));
  await copyFile(program, copy);
  await chmod(copy, 0o755);
  const to = dirname(path) === '.' ? '' : `${dirname(path)}/`;
  return { from, paths: [basename(path)], to };
}
