import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificate, selfSigned } from '../../../sandbox/kube/certificate.ts';

/** Those beside service accounts who may ask the API server, and the groups that say what they may. */
const GROUPS: Readonly<Record<string, string>> = {
  'system:admin': 'system:masters',
  // It plays the scheduler, the provisioner of volumes and the proxy as well, whom no role of a node would do for.
  'system:node:sandbox': 'system:masters',
  'system:kube-controller-manager': '',
};

/** What the parts of one control plane know each other by. */
export type Credentials = {
  readonly server: Certificate;
  /** Shown by the API server to the node. */
  readonly kubeletClient: Certificate;
  readonly kubeletClientFingerprint: string;
  readonly tokens: ReadonlyMap<string, string>;
  readonly files: Readonly<Record<keyof typeof FILES, string>>;
};

const FILES = {
  serverCertificate: 'server.crt',
  serverKey: 'server.key',
  kubeletClientCertificate: 'kubelet-client.crt',
  kubeletClientKey: 'kubelet-client.key',
  serviceAccountKey: 'service-account.key',
  serviceAccountPublicKey: 'service-account.pub',
  tokens: 'tokens.csv',
} as const;

/** Makes keys, certificates and tokens for an API server and a node at one address, and writes them as files. */
export async function makeCredentials(directory: string, address: string): Promise<Credentials> {
  const server = selfSigned([address, 'localhost', 'kubernetes.default.svc'], Date.now());
  const kubeletClient = selfSigned(['kube-apiserver'], Date.now());
  const serviceAccounts = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const tokens = new Map(Object.keys(GROUPS).map((user) => [user, randomBytes(24).toString('hex')]));
  const contents: Record<keyof typeof FILES, string> = {
    serverCertificate: server.certPem,
    serverKey: server.keyPem,
    kubeletClientCertificate: kubeletClient.certPem,
    kubeletClientKey: kubeletClient.keyPem,
    serviceAccountKey: serviceAccounts.privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    serviceAccountPublicKey: serviceAccounts.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    tokens: [...tokens].map(([user, token]) => `${token},${user},${user},"${GROUPS[user]}"\n`).join(''),
  };
  const names = Object.keys(FILES) as (keyof typeof FILES)[];
  const files = Object.fromEntries(names.map((name) => [name, join(directory, FILES[name])])) as Credentials['files'];
  await Promise.all(names.map((name) => writeFile(files[name], contents[name], { mode: 0o600 })));
  const kubeletClientFingerprint = new X509Certificate(kubeletClient.certPem).fingerprint256;
  return { server, kubeletClient, kubeletClientFingerprint, tokens, files };
}
