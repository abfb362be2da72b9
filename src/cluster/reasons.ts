/**
 * Every reason that stands in a condition or an event of a QdrantCluster, with what it means. The names are API:
 * alerts and scripts depend on them.
 */
export const REASONS = {
  // Ready
  Ready: 'All peers are members, answer and vote, and every replica is Active in every view.',
  Creating: 'The cluster is being founded, or its first peers are joining.',
  ScalingOut: 'Peers are joining, or shards are moving to peers that hold fewer.',
  ScalingIn: 'A peer is being drained and removed.',
  Restarting: 'Pods are being restarted one by one to take over a change.',
  Healing: 'A peer or a replica is being brought back.',
  Deleting: 'The object is being deleted.',
  PeersNotReady: "Fewer peers answer and vote than are wanted, or a pod isn't ready.",
  ReplicasNotActive: "A shard replica isn't Active in every view.",
  TransfersRunning: 'Shard transfers run.',
  ViewsDisagree: "The peers don't see the same members, collections or leader.",
  PeerOutsideCluster: 'A peer answers that is no member: it was removed, or it founded a cluster of its own.',
  ConsensusStopped: "A peer's consensus has stopped; with an error, the peer may not start again.",
  ShardsLost: 'A collection counts shards that no peer holds; its answers leave their points out.',
  FounderWithheld: "Volumes of an earlier cluster exist but not the first peer's, so nobody may found a cluster.",
  Unreachable: 'No peer answers.',
  KeyRefused: 'Qdrant refuses the API key.',
  UnsupportedVersion: 'A peer runs a version of Qdrant that is not supported.',
  SecretNotFound: 'A Secret that the spec names does not exist (yet).',
  SecretKeyMissing: 'A Secret that the spec names lacks the key.',
  SecretEmpty: 'The key in the Secret is empty; Qdrant would take the empty string as its key.',
  SecretInvalid: 'The key in the Secret holds characters that no HTTP header carries.',
  UrlInvalid: 'The URL of the external cluster is no http(s) URL without user and password.',
  InvalidSpec: 'The spec breaks a rule of its schema; nothing is done until it changes.',
  ReconcileFailed: 'The last pass failed; it is tried again.',
  Suspended: 'Nothing is done while spec.suspend is true.',
  // Available, Degraded
  Serving: 'Every shard has a readable replica, and a majority of the peers answers.',
  NoMajority: 'Fewer than half of the peers answer: nothing can be changed.',
  ShardsUnreadable: 'A shard has no readable replica; answers leave its points out.',
  NotFounded: 'The cluster was not founded yet.',
  Healthy: 'Nothing is degraded.',
  PeersUnreachable: "A member doesn't answer.",
  // ScalingBlocked and others
  NothingBlocked: 'Nothing stands against the size that is wanted.',
  PredicateRefuses: 'A named predicate refuses the next step; see docs/predicates.md.',
  NameTaken: 'An object of a name that the operator needs exists and belongs to someone else; it is not touched.',
  NotBuilt: 'Fields are set that nothing acts on yet.',
  KeyChanged: 'The key in the Secret is not the one that the pods started with; they take it over when they restart.',
  Standalone: 'The server runs without distributed mode: one peer, no replicas, no scaling.',
  VersionUntested: 'A peer runs a version of Qdrant that is newer than those that were tested.',
  TransferStuck: 'A shard transfer has been running for very long.',
  // Events
  Founded: 'The first peer answered; from now on peers can only join.',
  OperationStarted: 'An operation began.',
  OperationFinished: 'An operation ended.',
  PredicatesDisabled: 'A predicate refuses and is passed over: an annotation switches it off.',
  PeerRemoved: 'A peer was removed from the cluster.',
  ReplicaDropped: 'A shard replica was dropped.',
  TransfersStarted: 'Shard transfers were started.',
  PodRestarted: 'A pod was deleted, to be made anew.',
  PodsLowered: 'The pod of a removed peer was stopped.',
  VolumesDeleted: 'Volume claims were deleted.',
  VolumesKept: 'The volume claims stay, as deletionPolicy says.',
  KeysGenerated: 'API keys were generated.',
} as const;

export type Reason = keyof typeof REASONS;
