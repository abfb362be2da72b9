import { randomUUID } from 'node:crypto';
import type { PodSpec, References } from '../../../sandbox/node/wire.ts';
import type { Pod } from '../../../src/kube/index.ts';

/** A pod bound to the node `sandbox`; a test changes what it is about. */
export const podOf = (name: string, spec: Partial<PodSpec> & Pick<PodSpec, 'containers'>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'team-a', uid: randomUUID(), labels: { app: name }, annotations: { note: 'a "b"' } },
  spec: { nodeName: 'sandbox', terminationGracePeriodSeconds: 5, ...spec },
  status: { phase: 'Pending' },
});

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

type Data = Readonly<Record<string, Record<string, string>>>;

/** ConfigMaps and Secrets by name, with plain values. */
export const referencesOf = (configMaps: Data = {}, secrets: Data = {}): References => ({
  configMap: (name) => {
    const data = configMaps[name];
    return data && { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
  },
  secret: (name) => {
    const found = secrets[name];
    if (found === undefined) return undefined;
    const data = Object.fromEntries(Object.entries(found).map(([key, value]) => [key, base64(value)]));
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data };
  },
});

export const place = { nodeName: 'sandbox', hostIP: '127.9.0.1', podIP: '127.9.1.1' };
