import { CannotStart } from '../../ground.ts';
import { command } from './command.ts';
import { cachedLayer, type Layer } from './layer.ts';

/** What Node and Qdrant are linked with, and what a person wants who looks around in a pod. */
const PACKAGES = ['ca-certificates', 'curl', 'iproute2', 'libstdc++6', 'libunwind8', 'procps'];

const OPTIONS = [
  '--quiet',
  '--variant=essential',
  ...['doc', 'man', 'locale', 'info'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
  // What holds a pod's namespaces, under the name by which it is known.
  '--customize-hook=cp "$1/bin/sleep" "$1/pause"',
  '--customize-hook=rm -rf "$1"/var/cache/* "$1"/var/lib/apt/lists/*',
];

const KEYRINGS: Readonly<Record<string, string>> = {
  Debian: '/usr/share/keyrings/debian-archive-keyring.gpg',
  Ubuntu: '/usr/share/keyrings/ubuntu-archive-keyring.gpg',
};

/**
 * A minimal Debian as a layer, made from packages of the machine's own release. Made once, kept in the cache.
 *
 * @throws CannotStart when the machine knows no package sources of a Debian
 */
export async function baseLayer(say: (text: string) => void): Promise<Layer> {
  const sources = await packageSources();
  const suite = sources[0]?.codename;
  if (suite === undefined) throw new CannotStart('images are made from packages of Debian: apt knows no sources of it');
  return cachedLayer(`base-${suite}`, [PACKAGES, OPTIONS], async (file) => {
    const began = performance.now();
    const lines = sources.map(({ line }) => line);
    await command('mmdebstrap', [...OPTIONS, `--include=${PACKAGES.join(',')}`, suite, file, ...lines]);
    say(`base of images from packages of ${suite}: ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  });
}

type Source = { readonly codename: string; readonly line: string };

/** The machine's own sources: it reaches them. The release proper comes first. */
async function packageSources(): Promise<Source[]> {
  const format = '$(ORIGIN) $(CODENAME) $(REPO_URI) $(RELEASE) $(COMPONENT)';
  const list = async (): Promise<string> =>
    command('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']);
  // A fresh machine has no lists of packages yet.
  if ((await list()).trim() === '') await command('apt-get', ['-qq', 'update']);
  const sources = (await list())
    .trim()
    .split('\n')
    .flatMap((target) => {
      const [origin = '', codename = '', address, release, component] = target.split(' ');
      const keyring = KEYRINGS[origin];
      if (keyring === undefined) return [];
      return [{ codename, line: `deb [signed-by=${keyring}] ${address} ${release} ${component}` }];
    });
  return [...new Map(sources.map((source) => [source.line, source])).values()].toSorted(
    (a, b) => a.codename.length - b.codename.length,
  );
}
