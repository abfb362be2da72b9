import type { V1Affinity, V1NetworkPolicyPeer } from '@kubernetes/client-node';
import { choice, flag, integer, list, object, optional, text, verbatim } from '../schema/builders.ts';
import { labelSelector, objectName, stringMap } from '../schema/shapes.ts';

/** Pod placement and objects around the pods, in Kubernetes' own words. */

export const image = object('Container image of Qdrant.', {
  repository: optional(
    text('Repository without tag.', { min: 1, max: 255, pattern: '^[^\\s@]+$', default: 'qdrant/qdrant' }),
  ),
  tag: optional(
    text('Tag; default v<version>. Must be an image of that version.', {
      min: 1,
      max: 128,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*$',
    }),
  ),
  pullPolicy: optional(
    choice('When the node pulls the image.', ['Always', 'IfNotPresent', 'Never'], { default: 'IfNotPresent' }),
  ),
  pullSecrets: optional(
    list(
      'Secrets with registry credentials, in the same namespace.',
      object('A Secret.', { name: objectName('Name of the Secret.') }, { atomic: true }),
      { max: 16, keys: ['name'] },
    ),
  ),
});

export const service = object('Service that clients use.', {
  type: optional(choice('Kind of Service.', ['ClusterIP', 'NodePort', 'LoadBalancer'], { default: 'ClusterIP' })),
  annotations: optional(stringMap('Annotations of the Service.', { max: 64, valueMax: 4096 })),
});

export const affinity = verbatim<V1Affinity>(
  'Affinity of the pods, as in a pod spec. Default: peers prefer different nodes.',
  {
    nodeAffinity: verbatim('As in a pod spec.'),
    podAffinity: verbatim('As in a pod spec.'),
    podAntiAffinity: verbatim('As in a pod spec.'),
  },
);

export const tolerations = list(
  'Tolerations of the pods, as in a pod spec.',
  object('A toleration.', {
    key: optional(text('Taint key; empty with operator Exists matches all.', { max: 317 })),
    operator: optional(choice('How key and value relate.', ['Exists', 'Equal'])),
    value: optional(text('Taint value.', { max: 63 })),
    effect: optional(choice('Taint effect; empty matches all.', ['NoSchedule', 'PreferNoSchedule', 'NoExecute'])),
    tolerationSeconds: optional(
      integer('How long a NoExecute taint is tolerated, in seconds.', { min: 0, max: Number.MAX_SAFE_INTEGER }),
    ),
  }),
  { max: 32 },
);

export const nodeSelector = stringMap('Labels a node must have.', { max: 32, valueMax: 63 });

const HONOR = ['Honor', 'Ignore'] as const;

export const topologySpreadConstraints = list(
  'How the pods spread over the topology, as in a pod spec.',
  object('A constraint.', {
    maxSkew: integer('Largest difference between domains, in pods.', { min: 1, max: 1000 }),
    topologyKey: text('Node label that names the domain.', { min: 1, max: 317 }),
    whenUnsatisfiable: choice('What to do where it cannot hold.', ['DoNotSchedule', 'ScheduleAnyway']),
    labelSelector: optional(labelSelector('Pods that are counted; default: those of this cluster.')),
    minDomains: optional(integer('Fewest domains there should be.', { min: 1, max: 1000 })),
    nodeAffinityPolicy: optional(choice('Whether node affinity counts.', HONOR)),
    nodeTaintsPolicy: optional(choice('Whether taints count.', HONOR)),
    matchLabelKeys: optional(
      list('Pod label keys whose values select the pods counted.', text('A label key.', { min: 1, max: 317 }), {
        max: 8,
        set: true,
      }),
    ),
  }),
  { max: 16, keys: ['topologyKey', 'whenUnsatisfiable'] },
);

export const podDisruptionBudget = object('Bounds how many pods a node drain may take away at once.', {
  enabled: optional(flag('Whether there is a PodDisruptionBudget.', { default: true })),
  maxUnavailable: optional(integer('Pods that may be away at once.', { min: 1, max: 100, default: 1 })),
});

export const networkPolicy = object('Who may connect to the pods. 6335 is always open to peers of this cluster only.', {
  enabled: optional(flag('Whether there is a NetworkPolicy.', { default: true })),
  from: optional(
    list(
      'Who may connect to 6333 and 6334, as `from` in a NetworkPolicy; default: everyone.',
      verbatim<V1NetworkPolicyPeer>('A peer of a NetworkPolicy.', {
        ipBlock: verbatim('As in a NetworkPolicy.'),
        namespaceSelector: verbatim('As in a NetworkPolicy.'),
        podSelector: verbatim('As in a NetworkPolicy.'),
      }),
      { max: 32 },
    ),
  ),
});

export const metrics = object('Metrics of the Qdrant peers.', {
  serviceMonitor: optional(
    object('A ServiceMonitor of the Prometheus operator.', {
      enabled: optional(flag('Whether there is one.', { default: false })),
      labels: optional(stringMap('Labels by which Prometheus selects it.', { max: 32, valueMax: 63 })),
      intervalSeconds: optional(integer('Time between scrapes, in seconds.', { min: 5, max: 3600, default: 30 })),
    }),
  ),
});
