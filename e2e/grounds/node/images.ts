import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { baseLayer } from './base-layer.ts';
import { type Image, layOut } from './image-archive.ts';
import { cachedLayer, type Layer, type Part, writeLayer } from './layer.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

export const PAUSE_IMAGE = 'localhost/pause:1';
/** The version that scenarios ask for. */
const QDRANT_IMAGE = 'docker.io/qdrant/qdrant:v1.18.3';

const ENGINE = `#!/bin/sh
exec /nodejs/bin/node --max-semi-space-size=1 --max-old-space-size=256 /app/sandbox/qdrant/main.ts "$@"
`;

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
  const runtime = await runtimeLayer();
  const operator = await writeLayer(`${folder}.operator.tar`, [
    { from: ROOT, paths: ['package.json', 'crds', 'src'], to: 'app/' },
  ]);
  const images: Image[] = [
    { name: PAUSE_IMAGE, layers: [base], config: { Entrypoint: ['/pause', 'infinity'] } },
    { name: 'localhost/debian:1', layers: [base], config: { Cmd: ['/bin/sh'] } },
    { name: 'localhost/coredns:1', layers: [base, coredns], config: { Entrypoint: ['/coredns'] } },
    {
      name: 'localhost/local-path-provisioner:1',
      layers: [base, localPath],
      config: { Entrypoint: ['/local-path-provisioner'] },
    },
    { name: await operatorImage(), layers: [base, runtime, operator], config: await operatorConfig() },
    sources.qdrant === undefined
      ? await engineImage(folder, [base, runtime, operator])
      : await qdrantImage(base, sources.qdrant),
  ];
  await layOut(folder, images);
}

const inQdrant = { WorkingDir: '/qdrant', Entrypoint: ['./qdrant'] };

async function qdrantImage(base: Layer, binary: string): Promise<Image> {
  return {
    name: QDRANT_IMAGE,
    layers: [base, await programLayer('qdrant', binary, 'qdrant/qdrant')],
    config: inQdrant,
  };
}

/** The engine of the sandbox behind the entry of the real image. */
async function engineImage(folder: string, below: readonly Layer[]): Promise<Image> {
  const entry = `${folder}.engine`;
  await writeFile(entry, ENGINE, { mode: 0o755 });
  const sandbox = { from: ROOT, paths: ['sandbox'], to: 'app/' };
  const layer = await writeLayer(`${folder}.engine.tar`, [sandbox, programPart(entry, 'qdrant/qdrant')]);
  // Scenarios strike it with faults.
  const config = { ...inQdrant, Env: ['SANDBOX_QDRANT_FAULTS=1'] };
  return { name: QDRANT_IMAGE, layers: [...below, layer], config };
}

/** As a node calls it when a chart names no registry. */
async function operatorImage(): Promise<string> {
  const chart = await readFile(join(ROOT, 'charts/qdrant-librarian/Chart.yaml'), 'utf8');
  const version = /^appVersion: (?<version>\S+)$/m.exec(chart)?.groups?.['version'];
  if (version === undefined) throw new Error('the chart has no appVersion');
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

type Flags = { readonly dev?: boolean; readonly optional?: boolean; readonly devOptional?: boolean };
type Lockfile = { readonly packages: Readonly<Record<string, Flags>> };

/** Node and what `npm ci --omit=dev --omit=optional` would install, out of what is installed. */
async function runtimeLayer(): Promise<Layer> {
  const lockfile = await readFile(join(ROOT, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lockfile) as Lockfile;
  const modules = Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
    .map(([path]) => path);
  // A package inside another one comes with it.
  const outer = modules.filter((path) => !modules.some((other) => path.startsWith(`${other}/`)));
  const parts = [{ from: ROOT, paths: outer, to: 'app/' }, programPart(process.execPath, 'nodejs/bin/node')];
  return cachedLayer('runtime', [process.version, process.execPath, lockfile], (file) => writeLayer(file, parts));
}

async function programLayer(name: string, program: string, path: string): Promise<Layer> {
  const { size, mtimeMs } = await stat(program);
  return cachedLayer(name, [program, size, mtimeMs], (file) => writeLayer(file, [programPart(program, path)]));
}

const programPart = (program: string, path: string): Part => ({
  from: dirname(program),
  paths: [basename(program)],
  to: path,
  renamed: true,
});
