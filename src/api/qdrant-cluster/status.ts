import type { Static } from 'typebox';
import { big, choice, integer, list, object, optional, text, time } from '../schema/builders.ts';
import { blockedBy, conditions, lastHandled, observedGeneration } from '../schema/shapes.ts';

const peer = object('A peer as the others see it.', {
  name: text('Name of its pod; host name where the operator does not run it.', { min: 1, max: 253 }),
  ordinal: optional(integer('Number of the pod in the StatefulSet.', { min: 0, max: 999 })),
  peerId: optional(big('Id by which Qdrant knows it.')),
  uri: optional(text('Address for other peers.', { max: 2048 })),
  version: optional(text('Version of Qdrant that it runs.', { max: 64 })),
  state: choice('What it does.', ['Starting', 'Joining', 'Ready', 'Recovering', 'Draining', 'Unreachable', 'Removed']),
  shards: optional(integer('Shard replicas that it holds.', { min: 0, max: 10_000_000 })),
});
export type PeerStatus = Static<typeof peer>;

const operation = object('What is being done.', {
  name: choice('Kind of operation.', ['Create', 'ScaleOut', 'ScaleIn', 'RollingRestart', 'Heal', 'Delete']),
  step: text('Step that it is at.', { min: 1, max: 63 }),
  startedAt: time('When it began.'),
  target: optional(text('What it is about, e.g. the pod that is drained.', { max: 253 })),
  blockedBy: optional(blockedBy),
});
export type ClusterOperation = Static<typeof operation>;

export const status = object('What is the case. Written by the operator only.', {
  observedGeneration,
  conditions: optional(conditions),
  selector: optional(text('Label selector of the pods, for the scale subresource.', { max: 1024 })),
  replicas: optional(integer('Peers that run.', { min: 0, max: 1000 })),
  version: optional(text('Version of Qdrant that all peers run; during an upgrade the oldest.', { max: 64 })),
  endpoints: optional(
    object('Where clients connect.', {
      rest: optional(text('Base URL of the REST API.', { max: 2048 })),
      grpc: optional(text('Base URL of the gRPC API.', { max: 2048 })),
    }),
  ),
  collections: optional(integer('Number of collections.', { min: 0, max: 10_000_000 })),
  points: optional(big('Number of points, replicas not counted.')),
  founded: optional(
    object('Set once, when the first peer answered; while it is set no cluster is founded again.', {
      at: time('When.'),
      peerId: big('Peer that founded the cluster.'),
    }),
  ),
  peers: optional(list('The peers.', peer, { max: 256, keys: ['name'] })),
  operation: optional(operation),
  lastHandled,
});

export type QdrantClusterStatus = Static<typeof status>;
