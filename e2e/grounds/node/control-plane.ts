import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kubeconfigFile } from './certificates.ts';
import { type Layout, NETWORK } from './layout.ts';

const ETCD = 'http://127.0.0.1:2379';
const ETCD_PEERS = 'http://127.0.0.1:2380';

/** Namespaces whose pods are parts of the node. */
const SYSTEM_NAMESPACES = ['kube-system', 'local-path-storage'];

/** Every other namespace takes pods of the restricted standard only, whatever its labels say less. */
const ADMISSION = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'PodSecurity',
      configuration: {
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: { enforce: 'restricted', 'enforce-version': 'latest' },
        exemptions: { usernames: [], runtimeClasses: [], namespaces: SYSTEM_NAMESPACES },
      },
    },
  ],
};

/** Who did what, without bodies: for scenarios that count requests. */
const AUDIT = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [{ level: 'Metadata' }],
};

export const etcd = ({ directory }: Layout): string[] => [
  `--data-dir=${join(directory, 'etcd')}`,
  '--log-level=warn',
  // A machine that fails takes the run with it.
  '--unsafe-no-fsync',
  `--listen-client-urls=${ETCD}`,
  `--advertise-client-urls=${ETCD}`,
  `--listen-peer-urls=${ETCD_PEERS}`,
  `--initial-advertise-peer-urls=${ETCD_PEERS}`,
  `--initial-cluster=default=${ETCD_PEERS}`,
];

export async function apiServer(layout: Layout, port: number): Promise<string[]> {
  const file = (name: string): string => join(layout.configuration, name);
  await writeFile(file('admission.json'), JSON.stringify(ADMISSION));
  await writeFile(file('audit.json'), JSON.stringify(AUDIT));
  const key = (name: string): string => join(layout.certificates, name);
  return [
    `--etcd-servers=${ETCD}`,
    // Not loopback: else the Service `kubernetes` has no endpoints.
    `--advertise-address=${NETWORK.node}`,
    `--secure-port=${port}`,
    `--service-cluster-ip-range=${NETWORK.services}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--admission-control-config-file=${file('admission.json')}`,
    `--audit-policy-file=${file('audit.json')}`,
    `--audit-log-path=${layout.audit}`,
    '--allow-privileged=true',
    `--client-ca-file=${key('ca.crt')}`,
    `--tls-cert-file=${key('api-server.crt')}`,
    `--tls-private-key-file=${key('api-server.key')}`,
    `--kubelet-client-certificate=${key('admin-client.crt')}`,
    `--kubelet-client-key=${key('admin-client.key')}`,
    `--kubelet-certificate-authority=${key('ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${key('service-accounts.pub')}`,
    `--service-account-signing-key-file=${key('service-accounts.key')}`,
  ];
}

const asUser = (layout: Layout, component: 'kube-controller-manager' | 'kube-scheduler'): string[] => [
  ...['', 'authentication-', 'authorization-'].map((use) => `--${use}kubeconfig=${kubeconfigFile(layout, component)}`),
  '--bind-address=127.0.0.1',
  '--leader-elect=false',
];

export const controllerManager = (layout: Layout): string[] => [
  ...asUser(layout, 'kube-controller-manager'),
  '--allocate-node-cidrs=true',
  `--cluster-cidr=${NETWORK.pods}`,
  '--node-cidr-mask-size=24',
  `--service-cluster-ip-range=${NETWORK.services}`,
  `--service-account-private-key-file=${join(layout.certificates, 'service-accounts.key')}`,
  `--root-ca-file=${join(layout.certificates, 'ca.crt')}`,
  '--use-service-account-credentials=true',
  `--flex-volume-plugin-dir=${join(layout.directory, 'volume-plugins')}`,
  // The defaults make its own start five seconds longer.
  '--kube-api-qps=500',
  '--kube-api-burst=1000',
];

export const scheduler = (layout: Layout): string[] => asUser(layout, 'kube-scheduler');
