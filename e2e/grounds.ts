import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CannotStart, complete, type Ground, type GroundModule, type GroundOptions, type Prepared } from './ground.ts';

export const GROUNDS = ['embedded', 'control-plane', 'node'] as const;

/** `E2E_GROUNDS`: the modules lie elsewhere, as in tests of the run itself. */
const folderOfGrounds = (): string => process.env['E2E_GROUNDS'] ?? join(import.meta.dirname, 'grounds');

/** The ground that `E2E_GROUND` names; `embedded` when it names none. */
export const groundName = (): string => process.env['E2E_GROUND'] ?? 'embedded';

/**
 * The module of a ground: one of `GROUNDS`, or `kubeconfig` for the path of a kubeconfig file.
 *
 * @throws CannotStart when it is neither
 */
export async function loadGround(name: string): Promise<GroundModule> {
  const folder = folderOfGrounds();
  for (const file of [`${name}.ts`, `${name}/index.ts`]) {
    if (/^[a-z-]+$/.test(name) && (await isFile(join(folder, file)))) return module(join(folder, file));
  }
  if (await isFile(resolve(name))) return module(join(folder, 'kubeconfig/index.ts'));
  throw new CannotStart(`there is no ground ${name}: name one of ${GROUNDS.join(', ')}, or a kubeconfig file`);
}

const module = async (path: string): Promise<GroundModule> => (await import(pathToFileURL(path).href)) as GroundModule;

const isFile = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** For which ground this process was prepared: what one that plays a single file does by itself. */
const PREPARED = 'E2E_PREPARED';

/** Prepares a ground for this process and those that it starts. */
export async function prepareGround(
  name: string,
  module: GroundModule,
  say: (text: string) => void,
): Promise<Prepared> {
  if (process.env[PREPARED] === name) return { environment: {}, stop: async () => undefined };
  process.env['E2E_GROUND'] = name;
  const prepared = await module.prepare?.(say);
  const before = { ...process.env };
  Object.assign(process.env, prepared?.environment, { [PREPARED]: name });
  return {
    environment: prepared?.environment ?? {},
    async stop() {
      for (const key of [PREPARED, ...Object.keys(prepared?.environment ?? {})]) {
        const old = before[key];
        if (old === undefined) delete process.env[key];
        else process.env[key] = old;
      }
      await prepared?.stop();
    },
  };
}

export const startGround = async (module: GroundModule, options: GroundOptions): Promise<Ground> =>
  complete(await module.start(options));
