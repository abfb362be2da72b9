import { after, before } from 'node:test';
import { asString, at, type Json, type JsonObject } from '../../../../sandbox/kube/json.ts';
import { type Answer, Api, type Target } from './api.ts';

/** What the tests of one part share: a connection and a namespace of their own. */
export type World = {
  readonly api: Api;
  readonly target: Target;
  readonly namespace: string;
  /** Path of a core resource in the namespace. */
  readonly core: (rest: string) => string;
  /** Path of a grouped resource in the namespace, e.g. `apps/v1`. */
  readonly named: (groupVersion: string, rest: string) => string;
};

/** Prepares a world before the tests of the enclosing suite and takes it away after them. */
export function world(target: () => Target): () => World {
  let current: World | undefined;
  before(async () => {
    const api = new Api(target());
    const made = await api.post('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { generateName: 'contract-' },
    });
    const namespace = nameOf(made);
    // Where a controller runs, it may have been faster.
    await api.post(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    });
    current = {
      api,
      target: target(),
      namespace,
      core: (rest) => `/api/v1/namespaces/${namespace}/${rest}`,
      named: (groupVersion, rest) => `/apis/${groupVersion}/namespaces/${namespace}/${rest}`,
    };
  });
  after(async () => {
    if (current === undefined) return;
    await current.api.delete(`/api/v1/namespaces/${current.namespace}`);
    await current.api.close();
  });
  return () => {
    if (current === undefined) throw new Error('the world is not ready');
    return current;
  };
}

export const field = (answer: Answer, ...path: string[]): Json | undefined => at(answer.body, ...path);
export const nameOf = (answer: Answer): string => asString(field(answer, 'metadata', 'name'));
export const versionOf = (answer: Answer): string => asString(field(answer, 'metadata', 'resourceVersion'));

export const configMap = (name: string, data: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

export const statefulSet = (name: string, change: JsonObject = {}): JsonObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name },
  spec: {
    serviceName: name,
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        containers: [
          {
            name: 'qdrant',
            image: 'qdrant/qdrant:v1.18.3',
            ports: [{ containerPort: 6333, name: 'http' }],
            resources: { requests: { memory: '1024Mi' } },
          },
        ],
      },
    },
    ...change,
  },
});
