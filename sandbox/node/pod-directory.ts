import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expand } from './expand.ts';
import { hostPathOf, longestFirst, type PathMapping } from './mount-paths.ts';
import type { Runtime } from './process-specification.ts';
import type { Container } from './wire.ts';

type Mount = NonNullable<Container['volumeMounts']>[number];

export type ContainerLayout = {
  /** Plays the container's root directory. */
  readonly root: string;
  readonly container: Container;
  readonly runtime: Runtime;
  /** The host directory of a volume of the pod. */
  readonly volumeDirectory: (volume: string) => string;
  readonly variables: ReadonlyMap<string, string>;
};

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function mountSource(mount: Mount, layout: ContainerLayout): Promise<string> {
  const directory = layout.volumeDirectory(mount.name);
  const subPath = mount.subPathExpr === undefined ? mount.subPath : expand(mount.subPathExpr, layout.variables);
  if (subPath === undefined || subPath === '') return directory;
  const source = join(directory, subPath);
  if (!source.startsWith(`${directory}/`)) throw new Error(`subPath ${JSON.stringify(subPath)} leaves its volume`);
  if (!(await exists(source))) await mkdir(source, { recursive: true });
  return source;
}

/**
 * Lays out the directory that plays a container's root: the files of its image, and each mount as a link to its volume,
 * so that paths keep their places relative to each other.
 *
 * @returns how container paths are rewritten, longest first
 */
export async function layOutContainer(layout: ContainerLayout): Promise<PathMapping[]> {
  const { root, runtime, container } = layout;
  const mappings: PathMapping[] = [];
  await mkdir(join(root, runtime.workingDirectory), { recursive: true });
  if (runtime.workingDirectory !== '/') {
    mappings.push({ containerPath: runtime.workingDirectory, hostPath: join(root, runtime.workingDirectory) });
  }
  for (const [path, content] of Object.entries(runtime.files ?? {})) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
    await chmod(target, 0o755);
  }
  const mounts = (container.volumeMounts ?? []).toSorted((one, other) => one.mountPath.length - other.mountPath.length);
  const mounted: string[] = [];
  for (const mount of mounts) {
    const source = await mountSource(mount, layout);
    // A link inside another mount would be written into that volume.
    const nested = mounted.some((path) => mount.mountPath.startsWith(`${path.replace(/\/+$/, '')}/`));
    const hostPath = nested ? join(root, '.nested', mount.mountPath) : join(root, mount.mountPath);
    mounted.push(mount.mountPath);
    mappings.push({ containerPath: mount.mountPath, hostPath });
    if (await exists(hostPath)) continue;
    await mkdir(dirname(hostPath), { recursive: true });
    await symlink(source, hostPath);
  }
  const ordered = longestFirst(mappings);
  const { workingDir } = container;
  if (workingDir !== undefined && hostPathOf(workingDir, ordered) === undefined) {
    await mkdir(join(root, workingDir), { recursive: true });
  }
  return ordered;
}
