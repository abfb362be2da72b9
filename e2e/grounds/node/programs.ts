import { tools } from '../../tools/tools.ts';

const NAMES = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
  'helm',
  'coredns',
  'local-path-provisioner',
  'csi-directory',
  'csi-provisioner',
  'csi-resizer',
  'versitygw',
] as const;

export type Programs = Readonly<Record<(typeof NAMES)[number], string>>;

/** The Go programs of the node, built when they are not in the cache. */
export const programsOf = (say: (text: string) => void): Promise<Programs> => tools(NAMES, say);
