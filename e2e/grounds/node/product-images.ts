import { readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Image } from './image-archive.ts';
import { cachedLayer, type Layer, type Part, writeLayer } from './layer.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

const ENGINE = `#!/bin/sh
exec /nodejs/bin/node --max-semi-space-size=1 --max-old-space-size=256 /app/sandbox/qdrant/main.ts "$@"
`;

export type ProductImages = {
  /** Where the images shall be looked for, without tag. */
  readonly repositories: { readonly operator: string; readonly qdrant: string };
  /** The real Qdrant; undefined = the sandbox's engine. */
  readonly qdrant: string | undefined;
};

/** The version of Qdrant that scenarios ask for. */
const QDRANT_TAG = 'v1.18.3';

/**
 * The operator's image and Qdrant's, over a base that has what Node and Qdrant are linked with.
 *
 * @param folder files that are no layers of the cache begin with its name
 */
export async function productImages(folder: string, base: Layer, product: ProductImages): Promise<readonly Image[]> {
  const { repositories, qdrant } = product;
  const runtime = await runtimeLayer();
  const operator = await writeLayer(`${folder}.operator.tar`, [
    { from: ROOT, paths: ['package.json', 'crds', 'src'], to: 'app/' },
  ]);
  const peer = qdrant === undefined ? await engine(folder, [base, runtime, operator]) : await qdrantImage(base, qdrant);
  return [
    {
      name: `${repositories.operator}:${await publishedVersion()}`,
      layers: [base, runtime, operator],
      config: await operatorConfig(),
    },
    { ...peer, name: `${repositories.qdrant}:${QDRANT_TAG}` },
  ];
}

const inQdrant = { WorkingDir: '/qdrant', Entrypoint: ['./qdrant'] };

const qdrantImage = async (base: Layer, binary: string): Promise<Omit<Image, 'name'>> => ({
  layers: [base, await programLayer('qdrant', binary, 'qdrant/qdrant')],
  config: inQdrant,
});

/** The engine of the sandbox behind the entry of the real image. */
async function engine(folder: string, below: readonly Layer[]): Promise<Omit<Image, 'name'>> {
  const entry = `${folder}.engine`;
  await writeFile(entry, ENGINE, { mode: 0o755 });
  const sandbox = { from: ROOT, paths: ['sandbox'], to: 'app/' };
  const layer = await writeLayer(`${folder}.engine.tar`, [sandbox, programPart(entry, 'qdrant/qdrant')]);
  // Scenarios strike it with faults.
  return { layers: [...below, layer], config: { ...inQdrant, Env: ['SANDBOX_QDRANT_FAULTS=1'] } };
}

async function publishedVersion(): Promise<string> {
  const chart = await readFile(join(ROOT, 'charts/qdrant-librarian/Chart.yaml'), 'utf8');
  const version = /^appVersion: (?<version>\S+)$/m.exec(chart)?.groups?.['version'];
  if (version === undefined) throw new Error('the chart has no appVersion');
  return version;
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

export async function programLayer(name: string, program: string, path: string): Promise<Layer> {
  const { size, mtimeMs } = await stat(program);
  return cachedLayer(name, [program, size, mtimeMs], (file) => writeLayer(file, [programPart(program, path)]));
}

const programPart = (program: string, path: string): Part => ({
  from: dirname(program),
  paths: [basename(program)],
  to: path,
  renamed: true,
});
