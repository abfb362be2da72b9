import { dump } from 'js-yaml';

type Access = {
  readonly url: string;
  readonly caPem: string;
  readonly user: string;
  readonly token: string;
  readonly namespace?: string;
};

/** A kubeconfig file with one cluster, one user and one context. */
export function kubeconfig({ url, caPem, user, token, namespace }: Access): string {
  const ca = caPem === '' ? {} : { 'certificate-authority-data': Buffer.from(caPem).toString('base64') };
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'sandbox',
    clusters: [{ name: 'sandbox', cluster: { server: url, ...ca } }],
    users: [{ name: user, user: { token } }],
    contexts: [
      { name: 'sandbox', context: { cluster: 'sandbox', user, ...(namespace === undefined ? {} : { namespace }) } },
    ],
  });
}
