import type { Pod, StatefulSet } from '../../../src/kube/index.ts';

type PodChange = {
  readonly name: string;
  readonly revision?: string;
  readonly ready?: boolean;
  readonly readySince?: string;
  readonly terminating?: boolean;
  readonly phase?: string;
  readonly labels?: Record<string, string>;
};

export const podOf = ({
  name,
  revision = 'r1',
  ready = true,
  terminating,
  phase = 'Running',
  labels,
  readySince,
}: PodChange): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'team-a',
    uid: `uid-${name}`,
    labels: { app: 'web', 'controller-revision-hash': revision, ...labels },
    ...(terminating === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  spec: { containers: [{ name: 'main' }] },
  status: {
    phase,
    podIP: '127.9.1.1',
    conditions: [
      { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: readySince ?? '2026-01-01T00:00:00Z' },
    ],
  },
});

export const setOf = (spec: Partial<NonNullable<StatefulSet['spec']>> = {}): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web', namespace: 'team-a', uid: 'uid-set', generation: 1 },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    serviceName: 'web-headless',
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main' }] } },
    ...spec,
  },
});

export const now = Date.parse('2026-01-01T00:01:00Z');
