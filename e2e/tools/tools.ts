import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, constants, mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Watchdog } from '../../sandbox/node/watchdog.ts';
import { CannotStart } from '../ground.ts';

/** A program that a Go module of this folder pins. */
type Tool = {
  /** The module's folder in this one. */
  readonly module: string;
  readonly package: string;
  /** Whether the version of its module is to be stamped into it as `k8s.io/component-base` reads it. */
  readonly stamped?: boolean;
  /** Whether `KUBEBUILDER_ASSETS` may hold it. */
  readonly asset?: boolean;
};

const kubernetes = (name: string): Tool => ({
  module: '.',
  package: `k8s.io/kubernetes/cmd/${name}`,
  stamped: true,
});

const TOOLS = {
  etcd: { module: '.', package: 'go.etcd.io/etcd/server/v3', asset: true },
  'kube-apiserver': { ...kubernetes('kube-apiserver'), asset: true },
  'kube-controller-manager': { ...kubernetes('kube-controller-manager'), asset: true },
  'kube-scheduler': kubernetes('kube-scheduler'),
  'kube-proxy': kubernetes('kube-proxy'),
  kubelet: kubernetes('kubelet'),
  kubectl: { ...kubernetes('kubectl'), asset: true },
  helm: { module: 'helm', package: 'helm.sh/helm/v4/cmd/helm' },
  versitygw: { module: 'versitygw', package: 'github.com/versity/versitygw/cmd/versitygw' },
  coredns: { module: 'node/coredns', package: '.' },
  'csi-directory': { module: 'node/csi', package: '.' },
  'csi-provisioner': {
    module: 'node/csi',
    package: 'github.com/kubernetes-csi/external-provisioner/v6/cmd/csi-provisioner',
  },
  'csi-resizer': { module: 'node/csi', package: 'github.com/kubernetes-csi/external-resizer/v2/cmd/csi-resizer' },
  'local-path-provisioner': { module: 'node/local-path', package: 'github.com/rancher/local-path-provisioner' },
} as const satisfies Readonly<Record<string, Tool>>;

export type ToolName = keyof typeof TOOLS;

type Say = (text: string) => void;

const run = promisify(execFile);

/** What differs from the defaults of Go would make another program: builds are the same everywhere. */
const BUILD = ['build', '-mod=readonly', '-buildvcs=false', '-trimpath'];
const ENVIRONMENT = { ...process.env, GOWORK: 'off', GOFLAGS: '' };

/**
 * The executables of tools: those of `KUBEBUILDER_ASSETS` where it has them, else built from their Go modules when they
 * are not in the cache, one build at a time on this machine.
 *
 * @throws CannotStart without Go, when something has to be built; Error when a build fails
 */
export async function tools<Name extends ToolName>(
  names: readonly Name[],
  say: Say = () => undefined,
): Promise<Record<Name, string>> {
  const paths: [Name, string][] = [];
  for (const name of names) paths.push([name, (await asset(name)) ?? (await built(name, say))]);
  return Object.fromEntries(paths) as Record<Name, string>;
}

/** A tool that is there already; nothing is built for it. */
export async function toolAtHand(name: ToolName): Promise<string | undefined> {
  const found = await asset(name);
  if (found !== undefined) return found;
  try {
    const source = join(import.meta.dirname, TOOLS[name].module);
    const path = join(cacheDirectory(), await fingerprint(name, source), name);
    return (await isExecutable(path)) ? path : undefined;
  } catch (error) {
    if (error instanceof CannotStart) return undefined;
    throw error;
  }
}

async function asset(name: ToolName): Promise<string | undefined> {
  const directory = process.env['KUBEBUILDER_ASSETS'] ?? '';
  const tool: Tool = TOOLS[name];
  if (directory === '' || tool.asset !== true) return undefined;
  const path = join(directory, name);
  return (await isExecutable(path)) ? path : undefined;
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function built(name: ToolName, say: Say): Promise<string> {
  const tool: Tool = TOOLS[name];
  const source = join(import.meta.dirname, tool.module);
  const directory = join(cacheDirectory(), await fingerprint(name, source));
  const path = join(directory, name);
  if (await isExecutable(path)) return path;
  await mkdir(directory, { recursive: true });
  const began = performance.now();
  say(`${name} is built from its Go module ...\n`);
  await build({ name, tool, source, path });
  say(`${name} is built: ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  return path;
}

function cacheDirectory(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? '';
  return join(base === '' ? join(homedir(), '.cache') : base, 'qdrant-librarian', 'tools');
}

/** Changes with everything that the executable is made of. */
async function fingerprint(name: ToolName, source: string): Promise<string> {
  const go = await goVersion(name);
  const ownSources = TOOLS[name].package === '.' ? ['main.go'] : [];
  const files = await Promise.all(['go.mod', 'go.sum', ...ownSources].map((file) => readFile(join(source, file))));
  return createHash('sha256').update(go).update(Buffer.concat(files)).digest('hex').slice(0, 12);
}

async function goVersion(name: ToolName): Promise<string> {
  try {
    // In no module: the answer must not depend on which Go a module asks for.
    return (await run('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH'], { env: ENVIRONMENT, cwd: '/' })).stdout;
  } catch (error) {
    const message = `${name} is built with Go (1.26 or newer), and there is no \`go\` on the PATH`;
    throw new CannotStart(TOOLS[name].module === '.' ? `${message}; KUBEBUILDER_ASSETS may name built ones` : message, {
      cause: error,
    });
  }
}

type Build = { readonly name: ToolName; readonly tool: Tool; readonly source: string; readonly path: string };

/** Who has to wait for the lock finds the work done. The executable appears in one step. */
const LOCKED = `
[ -x "$1" ] && exit
out=$1; shift
nice -n 10 go "$@" && mv "$out.part" "$out"
`;

async function build({ name, tool, source, path }: Build): Promise<void> {
  const flags = ['-ldflags', `-s -w ${tool.stamped === true ? await stamp(source) : ''}`.trim()];
  const arguments_ = [...BUILD, ...flags, '-o', `${path}.part`, tool.package];
  const lock = join(cacheDirectory(), 'lock');
  const child = spawn('flock', [lock, '/bin/sh', '-c', LOCKED, 'build', path, ...arguments_], {
    cwd: source,
    env: ENVIRONMENT,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const watchdog = new Watchdog();
  if (child.pid !== undefined) watchdog.add(child.pid);
  try {
    const [complaint, [code]] = await Promise.all([
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new Error(`${name} can't be built:\n${complaint.split('\n').slice(-20).join('\n')}`);
  } finally {
    if (child.pid !== undefined) watchdog.remove(child.pid);
    await watchdog.close();
  }
}

/** Linker flags: else every component says that it is v0.0.0-master. */
async function stamp(source: string): Promise<string> {
  const { stdout } = await run('go', ['list', '-m', '-f', '{{.Version}}', 'k8s.io/kubernetes'], {
    cwd: source,
    env: ENVIRONMENT,
  });
  const version = stdout.trim();
  const [major = '', minor = ''] = version.slice(1).split('.');
  const stamps = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return Object.entries(stamps)
    .map(([variable, value]) => `-X k8s.io/component-base/version.${variable}=${value}`)
    .join(' ');
}
