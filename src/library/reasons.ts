import { DISCOVERY_REASONS } from './discovery/reasons.ts';
import { SNAPSHOT_REASONS } from './snapshots/reasons.ts';

/**
 * Every reason that stands in a condition or an event of a DomainLibrary, with what it means. The names are API:
 * alerts and scripts depend on them.
 */
export const REASONS = {
  // Ready, Reconciling, Stalled
  Ready: 'The collection answers to the public name, and every shard of it can be read.',
  Creating: 'The first collection is being made, or an existing one taken over.',
  Changing: 'Something is being changed; the library serves meanwhile.',
  Fenced: 'Writes are held back for the moment of a switch.',
  PredicatesRefuse: 'Named predicates refuse the next step; see docs/predicates.md.',
  CopyFailed:
    'The copy of a new generation failed; it is tried again with growing delay, and given up after ten times.',
  WaitingForShards: 'A shard has no readable replica: answers would leave its points out.',
  CollectionRed: 'Qdrant calls the collection red: an operation on it has failed.',
  CollectionMissing: 'The active collection is gone. It is not made anew: its data would silently be missing.',
  CollectionExists: 'A collection of that name exists that this library did not make. spec.adopt: true takes it over.',
  CollectionClaimed: 'Another DomainLibrary owns the collection, or is older and wants it, too.',
  AliasTaken: 'An alias of that name leads to a collection that is not ours.',
  ShapeMissing: 'Nothing says which vectors the collection has.',
  PeersDisagree: 'Peers show different things; that passes while a change spreads.',
  ClusterNotFound: 'The QdrantCluster does not exist; it may appear later.',
  NoClusterMatches: 'No QdrantCluster that is Ready matches the selector.',
  ClusterNotReady: 'The QdrantCluster has not been founded yet.',
  SecretNotFound: 'A Secret that the cluster names does not exist.',
  SecretKeyMissing: 'A Secret that the cluster names lacks a key.',
  SecretEmpty: 'A key of a Secret that the cluster names is empty.',
  SecretInvalid: 'A key of a Secret that the cluster names can not be sent.',
  UrlInvalid: 'The URL of the external cluster is none.',
  Unreachable: 'No peer answers.',
  Unauthorized: 'Qdrant refuses the key.',
  QdrantFailed: 'Qdrant answered with an error, or not as Qdrant does.',
  VersionNotSupported: 'This version of Qdrant is not supported.',
  InvalidSpec: 'A field of the spec breaks a rule.',
  Failed: 'The pass failed with an error; it is tried again.',
  ProgressingWithRetry: 'The pass failed with an error; it is tried again.',
  Succeeded: 'All is as wanted.',
  CacheBehind: 'The operator waits to see its own last write.',
  Deleting: 'What belongs to the library is being put away.',
  WaitingForCluster: 'Deletion waits for the cluster. deletionPolicy: Retain lets the object go.',
  // Other conditions
  Suspended: 'Nothing is done while spec.suspend is true.',
  NotBuilt: 'Nothing acts on these fields yet.',
  ConfigNotReflected: 'Qdrant took a change and shows another value. It is sent again every ten minutes.',
  Written: 'The binding Secret is as the cluster and its key are.',
  BindingTaken: 'A Secret of the binding name exists that is not ours: it is left alone.',
  WithinFiveMinutes: 'Going by the last comparison, the library can be back where it came from within five minutes.',
  TakesLonger: 'Going by the last comparison, a move back takes longer than five minutes.',
  SourceAway: "What the library has left can't be looked at.",
  SourceDiffers: 'What the library has left has not the shape that is wanted now: a move back copies anew.',
  // Events
  Adopted: 'A collection that existed was taken over.',
  Created: 'The first collection got its name.',
  GenerationStarted: 'A new generation is being built.',
  GenerationAbandoned: 'A new generation was given up before the switch.',
  MoveStarted: 'A generation is being built on another cluster.',
  Moved: 'The library has moved, nothing leads to its old place any more, and late writes there were looked for.',
  MovedBack: 'The library has moved back onto the generation that it had left.',
  SwitchUndone: 'The target of a move lost the public name again, because the fence no longer held.',
  GenerationChanged: 'A new generation has taken over, and late writes to the old one were looked for.',
  GenerationDropped: 'A retired or unfinished generation was dropped.',
  CopyRetried: 'Another attempt of a copy began.',
  FenceLeaks: 'Writes could get past the fence: they go on without a switch.',
  FenceLifted: 'Writes go on without a switch.',
  PredicatesDisabled: 'A predicate refuses and is passed over: an annotation switches it off.',
  GapOpened: 'An adopted collection was dropped so that its name can be an alias.',
  Switched: 'The public name leads to another generation.',
  SwitchedBack: 'Someone pointed the public name back to the old generation.',
  VectorAdded: 'A vector was added to the collection that serves, which keeps its points.',
  ...SNAPSHOT_REASONS,
  ...DISCOVERY_REASONS,
  Dropped: 'The library was deleted, and its collections with it.',
  Retained: 'The library was deleted; its collections stay.',
} as const;

export type Reason = keyof typeof REASONS;
