import { access, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CannotStart } from '../../ground.ts';
import { kubeconfigFile } from './certificates.ts';
import { PAUSE_IMAGE } from './images.ts';
import { CSI_DRIVER, type Layout, NETWORK, NODE_NAME } from './layout.ts';

const SOCKET = '/run/containerd/containerd.sock';
const PLUGINS = ['/usr/lib/cni', '/opt/cni/bin'];

/** Arguments of `ctr` for what the kubelet sees. */
export const CTR = ['ctr', `--address=${SOCKET}`, '--namespace=k8s.io'] as const;

export async function containerd(layout: Layout): Promise<string[]> {
  const network = join(layout.configuration, 'network');
  await mkdir(network, { recursive: true });
  await writeFile(join(network, 'bridge.conflist'), JSON.stringify(bridge(layout)));
  const file = join(layout.configuration, 'containerd.toml');
  await writeFile(
    file,
    `version = 2
[plugins."io.containerd.internal.v1.opt"]
  path = "${join(layout.directory, 'opt')}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Where root lacks CAP_SYS_RESOURCE no container would start.
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${await networkPlugins()}"
  conf_dir = "${network}"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`,
  );
  return [`--config=${file}`];
}

/** Masquerades nothing: there is nowhere to go. Source: CNI specification 0.4.0. */
const bridge = ({ directory }: Layout) => ({
  cniVersion: '0.4.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: join(directory, 'addresses'),
        routes: [{ dst: '0.0.0.0/0' }],
        ranges: [[{ subnet: NETWORK.podsOfNode, rangeStart: NETWORK.firstPod, gateway: NETWORK.node }]],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

async function networkPlugins(): Promise<string> {
  for (const folder of PLUGINS) {
    const found = await access(join(folder, 'bridge')).then(
      () => true,
      () => false,
    );
    if (found) return folder;
  }
  throw new CannotStart(`a node needs the network plugin "bridge" in ${PLUGINS.join(' or ')}`);
}

export async function kubelet(layout: Layout): Promise<string[]> {
  const key = (name: string): string => join(layout.certificates, name);
  const file = join(layout.configuration, 'kubelet.json');
  const resolver = join(layout.configuration, 'no-names.conf');
  await writeFile(resolver, '');
  const configuration = {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    // Since 1.35 it refuses cgroups of version 1 else.
    failCgroupV1: false,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${basename(layout.directory)}`,
    containerRuntimeEndpoint: `unix://${SOCKET}`,
    address: NETWORK.node,
    healthzBindAddress: '127.0.0.1',
    tlsCertFile: key('kubelet.crt'),
    tlsPrivateKeyFile: key('kubelet.key'),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: key('ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    clusterDomain: 'cluster.local',
    clusterDNS: [NETWORK.dns],
    resolvConf: resolver,
    volumePluginDir: join(layout.directory, 'volume-plugins'),
    nodeStatusUpdateFrequency: '5s',
    // How soon a changed ConfigMap or Secret is seen in a pod.
    syncFrequency: '5s',
    // A container that is killed again and again comes back again and again: as on the other grounds.
    crashLoopBackOff: { maxContainerRestartPeriod: '1s' },
    evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '2%', 'imagefs.available': '2%' },
    // An image that was removed can't be pulled again.
    imageGCHighThresholdPercent: 100,
    imageMinimumGCAge: '9600h',
    failSwapOn: false,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
  };
  await writeFile(file, JSON.stringify(configuration));
  return [
    `--config=${file}`,
    `--kubeconfig=${kubeconfigFile(layout, 'kubelet')}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${NETWORK.node}`,
  ];
}

export async function kubeProxy(layout: Layout): Promise<string[]> {
  const file = join(layout.configuration, 'kube-proxy.json');
  const configuration = {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig: kubeconfigFile(layout, 'kube-proxy') },
    clusterCIDR: NETWORK.pods,
    hostnameOverride: NODE_NAME,
    bindAddress: NETWORK.node,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    // Zero leaves alone what belongs to the whole machine.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
  await writeFile(file, JSON.stringify(configuration));
  return [`--config=${file}`];
}

/** The driver of volumes that grow, and what of Kubernetes speaks to it. Paths are those inside the node. */
export async function csi(layout: Layout): Promise<Readonly<Record<'driver' | 'provisioner' | 'resizer', string[]>>> {
  const folder = `/var/lib/kubelet/plugins/${CSI_DRIVER}`;
  const registry = '/var/lib/kubelet/plugins_registry';
  const volumes = join(layout.directory, 'expandable-volumes');
  for (const needed of [join(layout.node, folder), join(layout.node, registry), volumes]) {
    await mkdir(needed, { recursive: true });
  }
  const socket = `${folder}/csi.sock`;
  const sidecar = [`--csi-address=${socket}`, `--kubeconfig=${layout.admin}`, '--leader-election=false'];
  return {
    driver: [
      `--name=${CSI_DRIVER}`,
      `--node=${NODE_NAME}`,
      `--volumes=${volumes}`,
      `--socket=${socket}`,
      `--registration-socket=${registry}/${CSI_DRIVER}.sock`,
    ],
    provisioner: [...sidecar, '--feature-gates=Topology=false'],
    resizer: sidecar,
  };
}
