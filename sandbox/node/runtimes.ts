import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Runtime } from './process-specification.ts';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const ENGINE = { main: pathOf('../qdrant/main.ts'), sources: [pathOf('../qdrant')] };
const LIBRARIAN = { main: pathOf('../../src/main.ts'), sources: [pathOf('../../src')] };
const WARM_UP = pathOf('warm-up.ts');

/** Small young generations: an idle engine stays below 75 MB instead of growing with its traffic (measured, Node 24). */
const ENGINE_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=256'];
const LIBRARIAN_FLAGS = ['--max-semi-space-size=4', '--max-old-space-size=384'];

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const shim = (command: readonly string[]): string => `#!/bin/sh\nexec ${command.map(quoted).join(' ')} "$@"\n`;

/**
 * A foreign program asks the system's resolver: it gets the cluster's names as its hosts file, in a mount namespace of
 * its own. Needs `unshare` of util-linux, and root or user namespaces; without them it ends with an error that says so.
 */
const withHosts = (program: string): string => `#!/bin/sh
root=; [ "$(id -u)" = 0 ] || root=--map-root-user
exec unshare --mount $root -- /bin/sh -c 'mount --bind "$SANDBOX_HOSTS" /etc/hosts && exec "$0" "$@"' ${quoted(program)} "$@"
`;

/** The image `qdrant/qdrant`: its executable, here a script, lies in the working directory as in the real one. */
export function qdrantRuntime(executable: string, environment: Readonly<Record<string, string>>): Runtime {
  return {
    entrypoint: ['./qdrant'],
    workingDirectory: '/qdrant',
    files: { '/qdrant/qdrant': executable, '/qdrant/entrypoint.sh': executable },
    // One engine per address, and all three of its ports there.
    environment: (podIP) => ({ QDRANT__SERVICE__HOST: podIP, ...environment }),
  };
}

/**
 * Stripped and compiled sources of a program are kept for its later starts: 30 MB and 280 ms of processor time less for
 * each process of the engine (measured, Node 24).
 */
async function warmUp(
  program: { readonly main: string; readonly sources: readonly string[] },
  cache: string,
): Promise<void> {
  const environment = { ...process.env, NODE_COMPILE_CACHE: cache };
  const arguments_ = [...ENGINE_FLAGS, WARM_UP, program.main, ...program.sources];
  const child = spawn(process.execPath, arguments_, { stdio: 'ignore', env: environment });
  await once(child, 'exit');
}

/**
 * How the sandbox runs its images: `qdrant/qdrant` is the embedded engine, or the executable that `QDRANT_BIN` names;
 * `qdrant-librarian` is this project.
 *
 * @param directory holds what starts share; may be deleted when no process runs any more
 */
export async function sandboxRuntimes(
  directory: string,
  qdrantBinary = process.env['QDRANT_BIN'],
): Promise<Readonly<Record<string, Runtime>>> {
  const cache = join(directory, 'compile-cache');
  const environment = { NODE_COMPILE_CACHE: cache };
  const real = qdrantBinary !== undefined && qdrantBinary !== '';
  await Promise.all([warmUp(LIBRARIAN, cache), ...(real ? [] : [warmUp(ENGINE, cache)])]);
  const engine = [process.execPath, ...ENGINE_FLAGS, ENGINE.main];
  const librarian = [process.execPath, ...LIBRARIAN_FLAGS, LIBRARIAN.main];
  return {
    'qdrant/qdrant': real ? qdrantRuntime(withHosts(qdrantBinary), {}) : qdrantRuntime(shim(engine), environment),
    'qdrant-librarian': {
      entrypoint: librarian,
      workingDirectory: '/app',
      // On all addresses it would take the port from every other pod.
      environment: (podIP) => ({ QDRANT_LIBRARIAN_METRICS_HOST: podIP, ...environment }),
    },
  };
}
