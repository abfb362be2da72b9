import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeCertificates } from './certificates.ts';
import { createCgroups } from './cgroups.ts';
import { command } from './command.ts';
import * as controlPlane from './control-plane.ts';
import { startHolder } from './holder.ts';
import { makeImages } from './images.ts';
import { CSI_DRIVER, layoutOf, NODE_NAME } from './layout.ts';
import * as agents from './node-agents.ts';
import { type Handle, startProcess, stillRunning, within } from './processes.ts';
import type { Programs } from './programs.ts';

const PATIENCE_MILLISECONDS = 120_000;
const MANIFESTS = join(import.meta.dirname, 'manifests');

export type UpOptions = {
  readonly directory: string;
  /** The API server's, on loopback of the node. */
  readonly port: number;
  readonly programs: Programs;
  readonly say: (text: string) => void;
};

/** Starts the node in its directory; resolves when it is Ready and its DNS and storage serve. */
export async function up({ directory, port, programs, say }: UpOptions): Promise<Handle> {
  const layout = layoutOf(directory);
  for (const folder of [layout.logs, layout.processes, layout.configuration, layout.volumes]) {
    await mkdir(folder, { recursive: true });
  }
  const qdrant = process.env['QDRANT_BIN'] || undefined;
  const sources = { coredns: programs.coredns, localPathProvisioner: programs['local-path-provisioner'], qdrant };
  const folder = join(directory, 'images');
  const images = makeImages(folder, sources, say);
  // Awaited below; its failure waits until then.
  images.catch(() => undefined);
  await writeCertificates(layout, `https://127.0.0.1:${port}`);
  const cgroupFile = await createCgroups(basename(directory));
  const handle = await startHolder({ directory, cgroupFile, holder: 0, programs });

  const started: string[] = [];
  const start = async (name: keyof Programs | 'containerd' | 'forward', args: readonly string[]): Promise<void> => {
    const program = name === 'containerd' ? name : name === 'forward' ? process.execPath : programs[name];
    await startProcess(handle, name, [program, ...args]);
    started.push(name);
  };
  const inside = (...program: string[]): Promise<string> => command('/bin/sh', within(handle, program));
  const kubectl = (...args: string[]): Promise<string> =>
    inside(programs.kubectl, `--kubeconfig=${layout.admin}`, ...args);
  const until = async (what: string, holds: () => Promise<unknown>): Promise<void> => {
    const deadline = performance.now() + PATIENCE_MILLISECONDS;
    for (;;) {
      const trouble = await holds().then(
        () => undefined,
        (error: Error) => error,
      );
      if (trouble === undefined) return;
      await stillRunning(handle, started);
      if (performance.now() > deadline) throw new Error(`the node does not come up: ${what}`, { cause: trouble });
      await sleep(100);
    }
  };

  await start('etcd', controlPlane.etcd(layout));
  await start('kube-apiserver', await controlPlane.apiServer(layout, port));
  await start('forward', [join(import.meta.dirname, 'forward.ts'), join(directory, 'api.sock'), String(port)]);
  await start('containerd', await agents.containerd(layout));
  await until('containerd answers', () => inside(...agents.CTR, 'version'));
  await images;
  const archive = `tar --create --dereference --directory=${folder} . | "$@"`;
  await inside('/bin/sh', '-c', archive, 'import', ...agents.CTR, 'images', 'import', '-');
  await until('the API server is ready', () => kubectl('get', '--raw=/readyz'));
  await start('kube-controller-manager', controlPlane.controllerManager(layout));
  await start('kube-scheduler', controlPlane.scheduler(layout));
  await start('kubelet', await agents.kubelet(layout));
  await start('kube-proxy', await agents.kubeProxy(layout));

  const storage = await readFile(join(MANIFESTS, 'storage.yaml'), 'utf8');
  const manifest = join(layout.configuration, 'storage.yaml');
  await writeFile(manifest, storage.replaceAll('VOLUMES', layout.volumes));
  await kubectl('apply', `--filename=${join(MANIFESTS, 'dns.yaml')}`, `--filename=${manifest}`);
  const csi = await agents.csi(layout);
  await start('csi-directory', csi.driver);
  await start('csi-provisioner', csi.provisioner);
  await start('csi-resizer', csi.resizer);

  const ready = (...what: string[]): Promise<string> => kubectl('wait', '--timeout=1s', ...what);
  await until('the node is Ready', () => ready('--for=condition=Ready', `node/${NODE_NAME}`));
  await until('DNS serves', () => ready('--for=condition=Available', '--namespace=kube-system', 'deployment/coredns'));
  await until('storage serves', () =>
    ready('--for=condition=Available', '--namespace=local-path-storage', 'deployment/local-path'),
  );
  const driver = `--for=jsonpath={.spec.drivers[0].name}=${CSI_DRIVER}`;
  await until('volumes that grow are there', () => ready(driver, `csinode/${NODE_NAME}`));
  return handle;
}
