import type { Static } from 'typebox';
import { choice, flag, integer, object, optional, text } from '../schema/builders.ts';
import { objectName, resources, secretKeyRef, storageSize, suspend, url, VERSION_PATTERN } from '../schema/shapes.ts';
import { config } from './config.ts';
import {
  affinity,
  image,
  metrics,
  networkPolicy,
  nodeSelector,
  podDisruptionBudget,
  service,
  tolerations,
  topologySpreadConstraints,
} from './kubernetes.ts';
import { specRules } from './rules.ts';

const external = object('A cluster that the operator does not run: Qdrant Cloud, a Helm release, a bare server.', {
  url: url('Base URL of its REST API with port, e.g. https://xyz.cloud.qdrant.io:6333.'),
  apiKeySecretRef: optional(secretKeyRef('Where its API key is; may appear or change later.', 'api-key')),
  caSecretRef: optional(secretKeyRef('Where the CA certificate (PEM) of a private CA is.', 'ca.crt')),
});

const persistence = object('Volume of each peer for its data. May grow, never shrink.', {
  size: optional(storageSize('Size of the volume, e.g. 10Gi.', '10Gi')),
  storageClassName: optional(objectName("StorageClass; default: the cluster's default class. Can't be changed.")),
});

const snapshotPersistence = object('Volume of each peer for local snapshots.', {
  enabled: optional(flag('Whether there is one; without it local snapshots go with the pod.', { default: false })),
  size: optional(storageSize('Size of the volume, e.g. 10Gi.', '10Gi')),
  storageClassName: optional(objectName("StorageClass; default: the cluster's default class. Can't be changed.")),
});

const apiKey = (description: string, key: string) =>
  object(
    description,
    {
      generate: optional(flag('Generate a random key.')),
      secretKeyRef: optional(secretKeyRef('Use this key; a changed Secret is picked up.', key)),
    },
    {
      rules: [
        {
          rule: '(has(self.generate) && self.generate) != has(self.secretKeyRef)',
          message: 'exactly one of generate: true and secretKeyRef must be set',
        },
      ],
    },
  );

const keyRotation = object('Rotates generated keys. Needs Qdrant 1.17 or newer.', {
  intervalDays: integer('Days between rotations.', { min: 1, max: 3650 }),
});

const tls = object('TLS on all ports.', {
  secretName: objectName('Secret with tls.crt, tls.key and ca.crt, as cert-manager makes it.'),
  p2p: optional(flag('Whether peers use TLS among themselves, too.', { default: true })),
});

const limits = object('Quotas, enforced by a condition and by Qdrant strict mode.', {
  maxCollectionSizeMB: optional(
    integer('Largest size of the vectors of a collection, in MB.', { min: 1, max: 1_073_741_824, default: 1024 }),
  ),
  maxCollections: optional(integer('Most collections of the cluster.', { min: 1, max: 100_000 })),
});

export const spec = object(
  'What is wanted.',
  {
    external: optional(external),
    version: optional(
      text('Version of Qdrant, e.g. 1.18.3 (1.16.0 or newer). Upgrades go minor by minor, never down.', {
        max: 16,
        pattern: VERSION_PATTERN,
      }),
    ),
    image: optional(image),
    size: optional(integer('Number of peers.', { min: 1, max: 100 })),
    resources: optional(resources('Resources of each Qdrant container, as in a pod spec.')),
    persistence: optional(persistence),
    snapshotPersistence: optional(snapshotPersistence),
    config: optional(config),
    apiKey: optional(apiKey('Key with all rights. Default: generated, in Secret <name>-apikey.', 'api-key')),
    readOnlyApiKey: optional(
      apiKey('Key that can only read. Default: generated, in Secret <name>-apikey.', 'read-only-api-key'),
    ),
    keyRotation: optional(keyRotation),
    jwtRbac: optional(flag('Whether Qdrant accepts JSON Web Tokens signed with the API key.')),
    tls: optional(tls),
    service: optional(service),
    affinity: optional(affinity),
    tolerations: optional(tolerations),
    nodeSelector: optional(nodeSelector),
    topologySpreadConstraints: optional(topologySpreadConstraints),
    priorityClassName: optional(objectName('PriorityClass of the pods.')),
    podDisruptionBudget: optional(podDisruptionBudget),
    networkPolicy: optional(networkPolicy),
    metrics: optional(metrics),
    rebalanceStrategy: optional(
      choice('How shards are spread over the peers of this cluster.', [
        'by_count',
        'by_size',
        'by_count_and_size',
        'by_load',
        'disabled',
      ]),
    ),
    limits: optional(limits),
    deletionPolicy: optional(
      choice('What becomes of the volumes when this object is deleted.', ['Retain', 'Delete'], { default: 'Retain' }),
    ),
    suspend,
  },
  { rules: specRules },
);

export type QdrantClusterSpec = Static<typeof spec>;
export type ExternalCluster = Static<typeof external>;
export type ApiKeySource = NonNullable<QdrantClusterSpec['apiKey']>;
