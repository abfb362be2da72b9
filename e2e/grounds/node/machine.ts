import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { CannotStart } from '../../ground.ts';
import { command } from './command.ts';

/** What the node is made of beside its Go programs: by Debian's name of the package, the files that tell it is there. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  containerd: ['containerd', 'ctr', 'containerd-shim-runc-v2'],
  runc: ['runc'],
  'containernetworking-plugins': ['/usr/lib/cni/bridge'],
  nftables: ['nft'],
  iproute2: ['ip'],
  'util-linux': ['nsenter', 'unshare', 'mount'],
  openssl: ['openssl'],
  tar: ['tar'],
  mmdebstrap: ['mmdebstrap'],
};

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The path with the folders of the system's own programs, which a user's path may lack. */
export const fullPath = (): string => `${process.env['PATH'] ?? ''}${delimiter}${SYSTEM_PATH}`;

/**
 * Sees to it that the machine can carry a node: installs packages of Debian that are missing.
 *
 * @throws CannotStart naming the part that the machine lacks
 */
export async function readyMachine(say: (text: string) => void): Promise<void> {
  if (process.platform !== 'linux') throw new CannotStart('a node needs Linux');
  if (process.getuid?.() !== 0) throw new CannotStart('a node needs root');
  await readyPackages(Object.keys(PACKAGES), say);
  await command('unshare', ['--net', '--mount', 'true']).catch((error: Error) => {
    throw new CannotStart(`a node needs network and mount namespaces of its own: ${error.message}`);
  });
  // Built in on some kernels, loaded already on others: what is really missing is told by what needs it.
  for (const module of ['br_netfilter', 'overlay', 'nf_tables']) {
    await command('modprobe', ['--quiet', module]).catch(() => undefined);
  }
}

/**
 * Installs those that are missing.
 *
 * @param names of those that a node is made of
 * @throws CannotStart naming those that can't be had
 */
export async function readyPackages(names: readonly string[], say: (text: string) => void): Promise<void> {
  const missing = await missingOf(names);
  if (missing.length === 0) return;
  say(`installing packages: ${missing.join(' ')}\n`);
  await install(missing);
}

async function install(packages: readonly string[]): Promise<void> {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const quiet = ['-qq', '-o', 'Dpkg::Use-Pty=0'];
  try {
    await command('apt-get', [...quiet, 'update'], environment);
    await command('apt-get', [...quiet, 'install', '--yes', '--no-install-recommends', ...packages], environment);
  } catch (error) {
    throw new CannotStart(`missing packages: ${packages.join(', ')}; installing them failed`, { cause: error });
  }
  const left = await missingOf(packages);
  if (left.length > 0) throw new CannotStart(`missing packages: ${left.join(', ')}`);
}

async function missingOf(names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map(async (name) => ((await hasAll(PACKAGES[name] ?? [])) ? [] : [name])));
  return found.flat();
}

async function hasAll(files: readonly string[]): Promise<boolean> {
  const has = await Promise.all(files.map(async (file) => (await programPath(file)) !== undefined));
  return has.every(Boolean);
}

async function programPath(program: string): Promise<string | undefined> {
  for (const folder of program.startsWith('/') ? [''] : fullPath().split(delimiter)) {
    const path = join(folder, program);
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return path;
  }
  return undefined;
}
