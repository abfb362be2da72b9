export type ApiServerAddress = { readonly url: string; readonly caPem?: string };

/** A kubeconfig with one user who has a token. JSON, which is YAML. */
export function kubeconfigText(server: ApiServerAddress, token: string, namespace: string): string {
  const { url, caPem } = server;
  const authority = caPem === undefined ? {} : { 'certificate-authority-data': Buffer.from(caPem).toString('base64') };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'sandbox', cluster: { server: url, ...authority } }],
    users: [{ name: 'pod', user: { token } }],
    contexts: [{ name: 'pod', context: { cluster: 'sandbox', user: 'pod', namespace } }],
    'current-context': 'pod',
  });
}
