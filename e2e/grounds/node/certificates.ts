import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { type Layout, NETWORK, NODE_NAME } from './layout.ts';

/** Who may do what at the API server: user and groups, by the component's name. */
const USERS = {
  admin: { user: 'admin', groups: ['system:masters'] },
  kubelet: { user: `system:node:${NODE_NAME}`, groups: ['system:nodes'] },
  'kube-controller-manager': { user: 'system:kube-controller-manager', groups: [] },
  'kube-scheduler': { user: 'system:kube-scheduler', groups: [] },
  'kube-proxy': { user: 'system:kube-proxy', groups: [] },
} as const;

type Component = keyof typeof USERS;

const API_SERVER_NAMES = [
  'IP:127.0.0.1',
  `IP:${NETWORK.node}`,
  `IP:${NETWORK.apiService}`,
  ...['', '.default', '.default.svc', '.default.svc.cluster.local'].map((end) => `DNS:kubernetes${end}`),
].join(',');

export const kubeconfigFile = ({ certificates }: Layout, component: Component): string =>
  join(certificates, `${component}.kubeconfig`);

/** A certificate authority of the node, and what its components prove to each other who they are by. */
export async function writeCertificates(layout: Layout, apiServer: string): Promise<void> {
  const { certificates } = layout;
  await mkdir(certificates, { recursive: true, mode: 0o700 });
  await certificate(layout, 'ca', {
    subject: '/CN=qdrant-librarian-node',
    extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'],
  });
  await certificate(layout, 'api-server', server('/CN=kube-apiserver', API_SERVER_NAMES));
  await certificate(
    layout,
    'kubelet',
    server(`/O=system:nodes/CN=system:node:${NODE_NAME}`, `IP:${NETWORK.node},DNS:${NODE_NAME}`),
  );
  const extensions = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=clientAuth'];
  for (const [component, { user, groups }] of Object.entries(USERS)) {
    const subject = [...groups.map((group) => `/O=${group}`), `/CN=${user}`].join('');
    await certificate(layout, `${component}-client`, { subject, extensions });
    await writeFile(kubeconfigFile(layout, component as Component), await kubeconfig(layout, component, apiServer));
  }
  await writeFile(layout.admin, await readFile(kubeconfigFile(layout, 'admin')), { mode: 0o600 });
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const tokens = join(certificates, 'service-accounts');
  await writeFile(`${tokens}.key`, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(`${tokens}.pub`, publicKey.export({ type: 'spki', format: 'pem' }));
}

type Wanted = { readonly subject: string; readonly extensions: readonly string[] };

const server = (subject: string, names: string): Wanted => ({
  subject,
  extensions: ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth', `subjectAltName=${names}`],
});

async function certificate({ certificates }: Layout, name: string, { subject, extensions }: Wanted): Promise<void> {
  const at = (file: string): string => join(certificates, file);
  const signed = name === 'ca' ? [] : ['-CA', at('ca.crt'), '-CAkey', at('ca.key')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', at(`${name}.key`)];
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  // Without the machine's openssl.cnf, whose defaults for certificates differ.
  const plain = ['-config', '/dev/null'];
  await command('openssl', [
    'req',
    '-x509',
    ...plain,
    ...key,
    ...signed,
    '-days',
    '30',
    '-subj',
    subject,
    ...added,
    '-out',
    at(`${name}.crt`),
  ]);
}

/** Everything in the file itself, so that it can be copied. */
async function kubeconfig({ certificates }: Layout, component: string, server_: string): Promise<string> {
  const encoded = async (file: string): Promise<string> =>
    (await readFile(join(certificates, file))).toString('base64');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'node',
    clusters: [{ name: 'node', cluster: { server: server_, 'certificate-authority-data': await encoded('ca.crt') } }],
    users: [
      {
        name: component,
        user: {
          'client-certificate-data': await encoded(`${component}-client.crt`),
          'client-key-data': await encoded(`${component}-client.key`),
        },
      },
    ],
    contexts: [{ name: 'node', context: { cluster: 'node', user: component } }],
  });
}
