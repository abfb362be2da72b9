import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CannotStart } from '../../ground.ts';
import { HIDDEN, NETWORK } from './layout.ts';
import { fullPath } from './machine.ts';
import { type Handle, within } from './processes.ts';

/**
 * What a kubelet sets for the whole machine. It finds these values instead, in files that lie over those of the kernel
 * for it alone, and has nothing to set. Source: kubelet `setupKernelTunables`.
 */
const KERNEL = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
} as const;

const RESOLVER = {
  'resolv.conf': `nameserver ${NETWORK.dns}\nsearch cluster.local\noptions ndots:5 timeout:2 attempts:3\n`,
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
} as const;

/** Folders of the node in the place of the machine's: containerd, kubelet and network plugins have them built in. */
const OWN = ['run/containerd', 'run/netns', 'var/log/pods', 'var/log/containers'];
const OWN_IN_VAR_LIB = ['containerd', 'kubelet', 'cni'];

/**
 * Mounts and network of the node. Mounts are shared below, as kubelets want it, and unknown to the machine above; the
 * network has no link to the machine's and no default route, so that no packet finds a way out.
 */
const SETUP = `set -eu
mount --make-rshared /
# What else the machine has there, homes of users too, stays reachable.
mount --rbind /var/lib machine/var/lib
for entry in machine/var/lib/* machine/var/lib/.[!.]*; do
  name=\${entry##*/}
  [ -e "node/var/lib/$name" ] || [ ! -e "$entry" ] || ln -s "$PWD/$entry" "node/var/lib/$name"
done
for folder in ${HIDDEN.join(' ')}; do mount --bind "node$folder" "$folder"; done
for file in ${Object.keys(KERNEL).join(' ')}; do mount --bind "kernel/$file" "/proc/sys/$file"; done
for file in ${Object.keys(RESOLVER).join(' ')}; do
  [ ! -e "/etc/$file" ] || mount --bind "resolver/$file" "/etc/$file"
done
ip link set lo up
ip link add cni0 type bridge
ip address add ${NETWORK.node}/24 dev cni0
ip link set cni0 up
# Else a process of the node finds no route to a Service: the rules of kube-proxy come after routing.
ip route add ${NETWORK.services} dev cni0
echo 1 >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
cd /
echo ready
exec >&- 2>&-
exec sleep infinity
`;

/** Starts the process that holds the namespaces of the node; they end with the last process in them. */
export async function startHolder(handle: Handle): Promise<Handle> {
  const at = (...parts: string[]): string => join(handle.directory, ...parts);
  const folders = [...OWN, ...OWN_IN_VAR_LIB.map((name) => join('var/lib', name))].map((folder) => at('node', folder));
  for (const folder of [...folders, at('machine/var/lib'), at('kernel/kernel/keys'), at('kernel/vm'), at('resolver')]) {
    await mkdir(folder, { recursive: true });
  }
  for (const [file, value] of Object.entries(KERNEL)) await writeFile(at('kernel', file), `${value}\n`);
  for (const [file, content] of Object.entries(RESOLVER)) await writeFile(at('resolver', file), content);

  const unshare = ['unshare', '--net', '--mount', '--propagation', 'slave', '--', '/bin/sh', '-c', SETUP];
  const child = spawn('/bin/sh', within(handle, unshare), {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: handle.directory,
    env: { PATH: fullPath() },
  });
  child.unref();
  // It closes both in the end.
  const [said, trouble] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (said !== 'ready\n')
    throw new CannotStart(`a node needs namespaces, mounts and a bridge of its own: ${trouble.trim()}`);
  return { ...handle, holder: child.pid ?? 0 };
}
