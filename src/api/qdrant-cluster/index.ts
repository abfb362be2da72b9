import { kindDescriptor } from '../kind.ts';
import type { LibrarianObject } from '../object.ts';
import { type QdrantClusterSpec, spec } from './spec.ts';
import { type QdrantClusterStatus, status } from './status.ts';

export type QdrantCluster = LibrarianObject<'QdrantCluster', QdrantClusterSpec, QdrantClusterStatus>;

export const QDRANT_CLUSTER = kindDescriptor({
  kind: 'QdrantCluster',
  description: 'A Qdrant cluster: one that the operator runs, or one that exists and is adopted (external).',
  plural: 'qdrantclusters',
  shortName: 'qdc',
  spec,
  status,
  rules: [
    {
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && size(self.metadata.name) <= 50",
      message:
        'metadata.name must be a DNS label that begins with a letter, at most 50 characters: pods and Services are named after it',
    },
  ],
  scale: {
    specReplicasPath: '.spec.size',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
  columns: [
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why it is ready or not.',
    },
    { name: 'Size', type: 'integer', jsonPath: '.spec.size', description: 'Peers wanted.' },
    { name: 'Peers', type: 'integer', jsonPath: '.status.replicas', description: 'Peers that run.' },
    { name: 'Version', type: 'string', jsonPath: '.status.version', description: 'Version of Qdrant.' },
    { name: 'Collections', type: 'integer', jsonPath: '.status.collections', description: 'Number of collections.' },
    { name: 'Points', type: 'integer', jsonPath: '.status.points', description: 'Number of points.' },
    {
      name: 'Operation',
      type: 'string',
      jsonPath: '.status.operation.name',
      description: 'What is being done.',
      priority: 1,
    },
    {
      name: 'Step',
      type: 'string',
      jsonPath: '.status.operation.step',
      description: 'Step that it is at.',
      priority: 1,
    },
    {
      name: 'Endpoint',
      type: 'string',
      jsonPath: '.status.endpoints.rest',
      description: 'Where clients connect.',
      priority: 1,
    },
  ],
});
